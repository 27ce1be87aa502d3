"""REST of search."""

from typing import Any
from urllib.parse import urlencode

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import WorkspaceView, checked, schema_of
from inbox.search import SearchPayload, search


class SearchQuery(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=200)
    before = serializers.UUIDField(required=False, help_text="Only messages older than this one.")


class Search(WorkspaceView):
    @extend_schema(operation_id="search", parameters=[SearchQuery], responses={200: schema_of(SearchPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """People, messages and notes in any script. Messages and notes newest first, 30 of each; `next` goes further
        back. All words must be there, the last one as far as it was typed."""
        given = checked(SearchQuery(data=request.query_params))
        found = search(self.actor(request), given["q"], before=given.get("before"))
        older = f"{request.path}?{_query(given['q'], found['next'])}" if found["next"] else None
        return Response({**found, "next": older})


def _query(text: str, before: str) -> str:
    return urlencode({"q": text, "before": before})
