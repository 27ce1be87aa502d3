"""REST of the audit log: read by page, exported whole."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.access import visible_audit
from crm.api.base import PAGING, WorkspaceView, checked, list_page, page_schema, word
from crm.models import AuditEntry
from crm.spreadsheets import csv_lines

COLUMNS = ("at", "actor_kind", "actor_id", "actor_name", "action", "target_kind", "target_id", "detail")


class AuditActor(TypedDict):
    kind: str
    id: UUID | None
    name: str


class AuditTarget(TypedDict):
    kind: str
    id: str


class AuditPayload(TypedDict):
    id: int
    at: datetime
    actor: AuditActor
    action: str
    target: AuditTarget
    detail: dict[str, Any]


def audit_payload(entry: AuditEntry) -> AuditPayload:
    return {
        "id": entry.pk,
        "at": entry.at,
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name},
        "action": entry.action,
        "target": {"kind": entry.target_kind, "id": entry.target_id},
        "detail": entry.detail,
    }


class AuditQuery(serializers.Serializer[Any]):
    action = word()
    actor = serializers.UUIDField(required=False, help_text="A member's or a key's id")
    target_kind = word()
    target = word()
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)

    def narrow(self) -> dict[str, Any]:
        lookups = {
            "action": "action",
            "actor": "actor_id",
            "target_kind": "target_kind",
            "target": "target_id",
            "since": "at__gte",
            "until": "at__lt",
        }
        return {lookups[name]: value for name, value in checked(self).items()}


class AuditList(WorkspaceView):
    @extend_schema(
        operation_id="list_audit", parameters=[AuditQuery, *PAGING], responses={200: page_schema(AuditPayload)}
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Who changed what, newest first."""
        query = AuditQuery(data=request.query_params)
        rows = visible_audit(self.actor(request)).filter(**query.narrow())
        return list_page(request, rows, audit_payload, dict(query.validated_data))


class AuditExport(WorkspaceView):
    @extend_schema(
        operation_id="export_audit", parameters=[AuditQuery], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: Request, workspace: str) -> StreamingHttpResponse:
        """All that fits the filters, newest first, as CSV. No cell in it is taken for a formula."""
        query = AuditQuery(data=request.query_params)
        rows = visible_audit(self.actor(request)).filter(**query.narrow()).order_by("-id")
        response = StreamingHttpResponse(csv_lines(COLUMNS, _cells(rows)), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return response


def _cells(rows: Any) -> Iterator[list[Any]]:
    for entry in rows.iterator(chunk_size=1000):
        yield [getattr(entry, name) for name in COLUMNS]
