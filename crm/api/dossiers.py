"""REST of data protection: everything about one contact handed out, or erased."""

from dataclasses import asdict
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.http import FileResponse, HttpRequest
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, WorkspaceView, checked, schema_of
from crm.identity.exempt import without_identity
from crm.services import exporting
from crm.services.erasure import erase_contact


class ExportPayload(TypedDict):
    id: UUID
    state: str  # pending, ready, failed, gone
    url: str | None  # works without signing in until `expires_at`
    size: int | None
    expires_at: datetime | None


class ContactExports(WorkspaceView):
    @extend_schema(operation_id="export_contact", request=None, responses={202: schema_of(ExportPayload)})
    def post(self, request: Request, workspace: str, contact: UUID) -> Response:
        """Begins an archive of everything about the contact. For admins. Ask for it until it is `ready`."""
        return Response(asdict(exporting.request_export(actor=self.actor(request), contact_id=contact)), status=202)


class ContactExport(WorkspaceView):
    @extend_schema(operation_id="get_contact_export", responses={200: schema_of(ExportPayload)})
    def get(self, request: Request, workspace: str, contact: UUID, export: UUID) -> Response:
        """With a link that works for a quarter of an hour. Archives are kept for a day."""
        found = exporting.get_export(actor=self.actor(request), contact_id=contact, export_id=export)
        return Response(asdict(found))


class EraseBody(StrictSerializer):
    confirm = serializers.CharField(help_text="The word erase", max_length=20)

    def validate_confirm(self, value: str) -> str:
        if value != "erase":
            raise serializers.ValidationError("Send the word erase: this cannot be undone.")
        return value


class ErasurePayload(TypedDict):
    id: UUID
    contact: UUID
    rows: dict[str, int]
    created_at: datetime


class ContactErase(WorkspaceView):
    @extend_schema(operation_id="erase_contact", request=EraseBody, responses={200: schema_of(ErasurePayload)})
    def post(self, request: Request, workspace: str, contact: UUID) -> Response:
        """Deletes everything about the contact for good. For admins. Cannot be undone."""
        checked(EraseBody(data=request.data))
        erasure = erase_contact(actor=self.actor(request), contact_id=contact)
        return Response(
            {
                "id": erasure.pk,
                "contact": erasure.contact_ref,
                "rows": erasure.rows,
                "created_at": erasure.created_at,
            }
        )


@without_identity
@require_safe
def download(request: HttpRequest, token: str) -> FileResponse:
    answer = FileResponse(
        exporting.opened(token), as_attachment=True, filename="contact.zip", content_type="application/zip"
    )
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
