"""REST of everything that happened with a contact."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import PAGING, WorkspaceView, page_schema
from crm.paging import link, read_limit
from crm.timeline import TimelineItem, get_timeline


class Timeline(WorkspaceView):
    @extend_schema(
        operation_id="get_contact_timeline",
        parameters=[
            OpenApiParameter(
                "kind", description="change, conversation, exam, import, note, payment, …, with commas between"
            ),
            *PAGING,
        ],
        responses={200: page_schema(TimelineItem)},
    )
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        """Newest first: conversations, notes, billing, payments, merges, imports, who changed what; to an exam's tutors
        their sessions there too."""
        query = request.query_params
        wanted = [kind for kind in query.get("kind", "").split(",") if kind]
        found = get_timeline(
            self.actor(request),
            contact,
            wanted=wanted,
            cursor=query.get("cursor"),
            limit=read_limit(query.get("limit")),
        )
        again: dict[str, Any] = {name: query[name] for name in ("kind", "limit") if name in query}
        return Response({"results": found.items, "next": link(request.path, again, found.next), "previous": None})
