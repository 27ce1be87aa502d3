"""REST of boards, open to everybody. Private ones need a key, which their code gives."""

from typing import Any, TypedDict
from uuid import NAMESPACE_URL, uuid5

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import DomainError, Invalid
from crm.api.base import checked, schema_of
from crm.identity import addresses
from crm.identity.key_pace import Pace
from crm.paging import link, read_limit
from proctoring.boards import is_its_code, key_of
from proctoring.errors import WrongBoardCode
from proctoring.models import Leaderboard
from proctoring.names import LANGUAGES, suggest
from proctoring.payloads.boards import EntryPayload, OwnPlacePayload
from proctoring.queries import boards as queries
from proctoring.services import nicknames

FURTHEST = 1_000_000
# Tries of codes in a minute: a class joins at once from one address; who guesses gets nowhere.
TRIES_OF_ADDRESS, TRIES_OF_BOARD = 120, 600
MOST_NAMES = 20
KEY = OpenApiParameter("key", description="Of a private board, as `join` gave it.")
_pace = Pace()


class LivePayload(TypedDict):
    topic: str
    seq: int


class LeaderboardPayload(TypedDict):
    quiz_code: str
    name: str
    is_open: bool
    is_private: bool
    players: int
    results: list[EntryPayload]
    next: str | None
    previous: str | None
    me: OwnPlacePayload | None
    live: LivePayload


class PublicView(APIView):
    """Whoever asks is not looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class LeaderboardView(PublicView):
    @extend_schema(
        operation_id="get_leaderboard",
        parameters=[
            OpenApiParameter("cursor"),
            OpenApiParameter("limit", int),
            OpenApiParameter("me", description="A nickname: its place and neighbours come along."),
            KEY,
        ],
        responses={200: schema_of(LeaderboardPayload)},
        auth=[],
    )
    def get(self, request: Request, quiz_code: str) -> Response:
        """Best first; equals share a rank."""
        query = request.query_params
        start, limit = read_start(query.get("cursor")), read_limit(query.get("limit"))
        board = queries.open_board(quiz_code, key=query.get("key", ""))
        return Response(snapshot(board, start=start, limit=limit, me=query.get("me", ""), asked=query))


def snapshot(board: Leaderboard, *, start: int, limit: int, me: str, asked: Any) -> LeaderboardPayload:
    page = queries.board_page(board, start=start, limit=limit)
    path = f"/api/v1/leaderboards/{board.quiz_code}"
    return {
        "quiz_code": board.quiz_code,
        "name": board.name,
        "is_open": board.is_open,
        "is_private": bool(board.join_code),
        "players": page.players,
        "results": page.rows,
        "next": _link(path, asked, start + limit) if page.has_more else None,
        "previous": _link(path, asked, max(0, start - limit)) if start else None,
        "me": queries.own_place(board, me[: nicknames.LONGEST]) if me else None,
        "live": {"topic": page.topic, "seq": page.seq},
    }


class JoinBody(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40)


class JoinedPayload(TypedDict):
    quiz_code: str
    key: str
    topic: str


class LeaderboardJoin(PublicView):
    @extend_schema(
        operation_id="join_leaderboard", request=JoinBody, responses={200: schema_of(JoinedPayload)}, auth=[]
    )
    def post(self, request: Request, quiz_code: str) -> Response:
        """The key of a private board for its code. It holds until the code changes."""
        given = checked(JoinBody(data=request.data))
        board = join(request._request, quiz_code, given["code"])
        key = key_of(board)
        return Response({"quiz_code": board.quiz_code, "key": key, "topic": queries.topic_of(board)})


def join(request: Any, quiz_code: str, code: str) -> Leaderboard:
    """WrongBoardCode, or TooMany for who has tried too often, from one address or at one board."""
    board = queries.public_board(quiz_code)
    if not board.join_code:
        return board
    _pace.take(uuid5(NAMESPACE_URL, f"board-from:{addresses.source(request)}"), TRIES_OF_ADDRESS)
    _pace.take(uuid5(NAMESPACE_URL, f"board-at:{board.pk}"), TRIES_OF_BOARD)
    if not is_its_code(board, code):
        raise WrongBoardCode
    return board


class NicknamesPayload(TypedDict):
    results: list[str]
    nickname: str | None
    is_fine: bool | None
    reason: str


class NicknameQuery(serializers.Serializer[Any]):
    language = serializers.ChoiceField(LANGUAGES, default="en")
    count = serializers.IntegerField(min_value=1, max_value=MOST_NAMES, default=4)
    nickname = serializers.CharField(required=False, max_length=1_000, trim_whitespace=False)
    key = serializers.CharField(required=False, max_length=100)


class LeaderboardNicknames(PublicView):
    @extend_schema(
        operation_id="suggest_nicknames",
        parameters=[
            OpenApiParameter("language", enum=LANGUAGES),
            OpenApiParameter("count", int),
            OpenApiParameter("nickname", description="One to look at: whether it may stand on a board."),
            KEY,
        ],
        responses={200: schema_of(NicknamesPayload)},
        auth=[],
    )
    def get(self, request: Request, quiz_code: str) -> Response:
        """Names to pick from that nobody has on this board, and whether a given one would do."""
        given = checked(NicknameQuery(data=request.query_params))
        board = queries.open_board(quiz_code, key=given.get("key", ""))
        reason = why_refused(given["nickname"]) if "nickname" in given else ""
        names = suggest(given["language"], given["count"])
        taken = queries.taken_names(board, names)
        return Response(
            {
                "results": suggest(given["language"], given["count"], taken=taken) if taken else names,
                "nickname": given.get("nickname"),
                "is_fine": not reason if "nickname" in given else None,
                "reason": reason,
            }
        )


def why_refused(nickname: str) -> str:
    try:
        nicknames.check(nickname)
    except DomainError as refused:
        return str(refused.data["errors"]["nickname"])
    return ""


def _link(path: str, asked: Any, start: int) -> str | None:
    given: dict[str, Any] = {name: asked[name] for name in ("limit", "key") if asked.get(name)}
    return link(path, given, str(start))


def read_start(cursor: str | None) -> int:
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdigit()) or int(cursor[:10]) > FURTHEST:
        raise Invalid("The cursor is not one of ours.", errors={"cursor": "Start again without it."})
    return int(cursor)
