"""REST of the board's counts and of the tags in use."""

from typing import TypedDict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import WorkspaceView, schema_of
from crm.api.contact_parameters import CONTACT_FILTERS
from crm.queries import board


class TagListPayload(TypedDict):
    results: list[board.TagPayload]


class BoardCounts(WorkspaceView):
    @extend_schema(
        operation_id="count_contacts",
        parameters=CONTACT_FILTERS,
        responses={200: schema_of(board.BoardPayload)},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """By lead status, up to 999 each; takes the list's filters."""
        return Response(board.get_board(self.actor(request), request.query_params))


class TagList(WorkspaceView):
    @extend_schema(operation_id="list_tags", responses={200: schema_of(TagListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """Those in use, the most used first."""
        return Response({"results": board.get_tags(self.actor(request))})
