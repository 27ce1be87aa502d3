"""REST of boards, open to everybody."""

from typing import Any, TypedDict

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import Invalid
from crm.paging import link, read_limit
from proctoring.payloads import EntryPayload
from proctoring.queries import boards as queries

FURTHEST = 1_000_000


class LivePayload(TypedDict):
    topic: str
    seq: int


class LeaderboardPayload(TypedDict):
    quiz_code: str
    name: str
    is_open: bool
    results: list[EntryPayload]
    next: str | None
    previous: str | None
    live: LivePayload


class LeaderboardView(APIView):
    """Whoever asks is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="get_leaderboard",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses={200: resolve_type_hint(LeaderboardPayload)},  # type: ignore[no-untyped-call]
        auth=[],
    )
    def get(self, request: Request, quiz_code: str) -> Response:
        """Best first; equals share a rank."""
        start, limit = _start(request.query_params.get("cursor")), read_limit(request.query_params.get("limit"))
        page = queries.board_page(quiz_code, start=start, limit=limit)
        answer: LeaderboardPayload = {
            "quiz_code": page.board.quiz_code,
            "name": page.board.name,
            "is_open": page.board.is_open,
            "results": page.rows,
            "next": _link(request, start + limit) if page.has_more else None,
            "previous": _link(request, max(0, start - limit)) if start else None,
            "live": {"topic": page.topic, "seq": page.seq},
        }
        return Response(answer)


def _link(request: Request, start: int) -> str | None:
    given: dict[str, Any] = {"limit": limit} if (limit := request.query_params.get("limit")) else {}
    return link(request.path, given, str(start))


def _start(cursor: str | None) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit()) or int(cursor[:10]) > FURTHEST:
        raise Invalid("The cursor is not one of ours.", errors={"cursor": "Start again without it."})
    return int(cursor)
