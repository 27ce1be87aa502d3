"""REST of boards for those who look after them: parse, call one service or query, answer."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.api.base import PAGING, StrictSerializer, WorkspaceView, checked, list_page, page_schema, schema_of
from crm.features import Feature
from crm.paging import link, read_limit
from proctoring import access
from proctoring.api.boards import read_start
from proctoring.payloads.boards import (
    BoardPayload,
    KeptEntryPayload,
    SnapshotPayload,
    board_payload,
    kept_entry_payload,
    snapshot_payload,
)
from proctoring.queries import boards as queries
from proctoring.services import board_export, boards


class BoardBody(StrictSerializer):
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    exam_id = serializers.CharField(max_length=255, required=False, allow_blank=True)
    is_hidden = serializers.BooleanField(required=False)
    join_code = serializers.CharField(max_length=40, required=False, allow_blank=True)
    keep_days = serializers.IntegerField(min_value=1, max_value=3_650, required=False)
    is_open = serializers.BooleanField(required=False)


class NewBoardBody(BoardBody):
    quiz_code = serializers.CharField(max_length=40)


class EntryBody(StrictSerializer):
    nickname = serializers.CharField(max_length=1_000, required=False)
    is_hidden = serializers.BooleanField(required=False)


class BoardView(WorkspaceView):
    feature = Feature.LEADERBOARD


class BoardList(BoardView):
    @extend_schema(operation_id="list_boards", parameters=PAGING, responses={200: page_schema(BoardPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """Those one looks after, newest first."""
        return list_page(request, access.visible_boards(self.actor(request)), board_payload, {})

    @extend_schema(operation_id="create_board", request=NewBoardBody, responses={201: schema_of(BoardPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        given = checked(NewBoardBody(data=request.data))
        code = given.pop("quiz_code")
        board = boards.create_board(actor=self.actor(request), quiz_code=code, fields=given)
        return Response(board_payload(board), status=201)


class BoardDetail(BoardView):
    @extend_schema(operation_id="get_board", responses={200: schema_of(BoardPayload)})
    def get(self, request: Request, workspace: str, quiz_code: str) -> Response:
        return Response(board_payload(access.board_for(self.actor(request), quiz_code)))

    @extend_schema(operation_id="change_board", request=BoardBody, responses={200: schema_of(BoardPayload)})
    def patch(self, request: Request, workspace: str, quiz_code: str) -> Response:
        """Closing keeps a snapshot. A `join_code` makes it private, an empty one public."""
        actor, given = self.actor(request), checked(BoardBody(data=request.data))
        is_open = given.pop("is_open", None)
        board = boards.change_board(actor=actor, quiz_code=quiz_code, fields=given)
        if is_open is not None:
            board = boards.set_open(actor=actor, board=board, is_open=is_open)
        return Response(board_payload(board))


class BoardEntries(BoardView):
    @extend_schema(
        operation_id="list_board_entries",
        parameters=[*PAGING, OpenApiParameter("search", description="A part of a nickname.")],
        responses={200: page_schema(KeptEntryPayload)},
    )
    def get(self, request: Request, workspace: str, quiz_code: str) -> Response:
        """All of them in the board's order, hidden ones too."""
        query = request.query_params
        board = access.board_for(self.actor(request), quiz_code)
        start, limit = read_start(query.get("cursor")), read_limit(query.get("limit"))
        rows, more = queries.kept_entries(board, start=start, limit=limit, search=query.get("search", "")[:60])
        given = {name: query[name] for name in ("limit", "search") if name in query}
        return Response(
            {
                "results": rows,
                "next": link(request.path, given, str(start + limit)) if more else None,
                "previous": link(request.path, given, str(max(0, start - limit))) if start else None,
            }
        )


class BoardEntry(BoardView):
    @extend_schema(operation_id="change_board_entry", request=EntryBody, responses={200: schema_of(KeptEntryPayload)})
    def patch(self, request: Request, workspace: str, quiz_code: str, entry: UUID) -> Response:
        """Renames it, or takes it off the board and back on."""
        actor, given = self.actor(request), checked(EntryBody(data=request.data))
        if not given:
            raise Invalid(errors={"nickname": "Give a nickname, or is_hidden."})
        changed = None
        if "nickname" in given:
            changed = boards.rename_entry(actor=actor, quiz_code=quiz_code, entry_id=entry, nickname=given["nickname"])
        if "is_hidden" in given:
            changed = boards.set_entry_hidden(
                actor=actor, quiz_code=quiz_code, entry_id=entry, is_hidden=given["is_hidden"]
            )
        assert changed is not None  # noqa: S101 - one of the two was given
        return Response(kept_entry_payload(changed, queries.rank_of(changed)))


class BoardSnapshots(BoardView):
    @extend_schema(
        operation_id="list_board_snapshots", parameters=PAGING, responses={200: page_schema(SnapshotPayload)}
    )
    def get(self, request: Request, workspace: str, quiz_code: str) -> Response:
        """How it stood each time it was closed, newest first."""
        board = access.board_for(self.actor(request), quiz_code)
        return list_page(request, board.snapshots.all(), snapshot_payload, {})


class BoardCsv(BoardView):
    @extend_schema(operation_id="export_board", responses={(200, "text/csv"): str})
    def get(self, request: Request, workspace: str, quiz_code: str) -> HttpResponse:
        board = access.board_for(self.actor(request), quiz_code)
        response = HttpResponse(board_export.csv_of(board), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{board.quiz_code}.csv"'
        response["Cache-Control"] = "no-store"
        return response
