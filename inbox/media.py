"""Files over HTTP: upload, fetch again, the lasting address that asks who is reading, and the short-lived links."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid, NotFound
from crm.api.base import WorkspaceView, schema_of
from crm.features import Feature
from crm.identity.exempt import without_identity
from inbox import links, storage
from inbox.access import attachment_for
from inbox.errors import NotStored
from inbox.filetypes import ALLOWED, KINDS, SHOWN, UNKNOWN
from inbox.models import Attachment, AttachmentState
from inbox.payloads import AttachmentPayload, MessagePayload, attachment_payload, message_payload
from inbox.ranges import NotSatisfiable, Span, wanted_span
from inbox.services import attachments

# A browser may take the same way again without asking, for less than the link lives.
REDIRECT_SECONDS = 5 * 60
SHOWN_SECONDS = 15 * 60
# No script, no form, no other window, whatever the bytes turn out to be.
POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


class UploadBody(serializers.Serializer[Any]):
    file = serializers.FileField()
    kind = serializers.ChoiceField(KINDS, required=False)


class Upload(WorkspaceView):
    feature = Feature.INBOX
    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": UploadBody},
        responses={201: schema_of(AttachmentPayload)},
        operation_id="upload_attachment",
    )
    def post(self, request: Request, workspace: str) -> Response:
        given = UploadBody(data=request.data)
        if not given.is_valid():
            raise Invalid(errors=given.errors)
        file = given.validated_data["file"]
        made = attachments.upload(
            actor=self.actor(request),
            content=file,
            size=file.size,
            name=file.name or "",
            declared=file.content_type or "",
            kind=given.validated_data.get("kind", ""),
        )
        return Response(attachment_payload(made), status=201)


class AnyAnswer(DefaultContentNegotiation):
    """A picture is asked for as a picture, a sound as a sound: all are sent on to the same place."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class Download(WorkspaceView):
    feature = Feature.INBOX
    content_negotiation_class = AnyAnswer

    @extend_schema(
        parameters=[OpenApiParameter("download", bool)], responses={302: None}, operation_id="get_attachment"
    )
    def get(self, request: Request, workspace: str, attachment: UUID) -> HttpResponse:
        """Sends on to a link that works by itself for a quarter of an hour."""
        found = attachment_for(self.actor(request), attachment)
        if found.state != AttachmentState.STORED:
            raise NotStored(state=found.state)
        query = "?" + urlencode({"download": 1}) if "download" in request.query_params else ""
        answer = HttpResponseRedirect(links.reader_path(found.pk) + query)
        answer["Cache-Control"] = f"private, max-age={REDIRECT_SECONDS}"
        return answer


class Retry(WorkspaceView):
    feature = Feature.INBOX

    @extend_schema(request=None, responses={200: schema_of(MessagePayload)}, operation_id="retry_attachment")
    def post(self, request: Request, workspace: str, conversation: UUID, message: UUID, attachment: UUID) -> Response:
        retried = attachments.retry_fetch(
            actor=self.actor(request), conversation_id=conversation, message_id=message, attachment_id=attachment
        )
        contact = retried.conversation.contact
        return Response(message_payload(retried, contact.display_name, contact.pk))


# --- The bytes --------------------------------------------------------------------------------------------------


class Streamed(StreamingHttpResponse):
    """Read in a thread, piece by piece: Django would gather a plain iterator whole before it sends the first byte."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = iter(self)
        step: Callable[..., bytes | None] = sync_to_async(next, thread_sensitive=False)  # type: ignore[assignment]
        while (part := await step(parts, None)) is not None:  # type: ignore[misc]
            yield part


def _link(purpose: str) -> Callable[..., HttpResponseBase]:
    def serve(request: HttpRequest, token: str) -> HttpResponseBase:
        attachment_id = links.opened(token, purpose)
        attachment = attachment_id and Attachment.objects.filter(pk=attachment_id).first()
        if not attachment or attachment.state != AttachmentState.STORED:
            raise NotFound
        return _answer(request, attachment)

    return without_identity(require_safe(serve))


for_reader = _link(links.READER)
for_provider = _link(links.PROVIDER)


def _answer(request: HttpRequest, attachment: Attachment) -> HttpResponseBase:
    headers = _headers(attachment, download="download" in request.GET)
    size = attachment.size or 0
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return HttpResponse(status=304, headers=headers)
    try:
        span = wanted_span(request.headers, size, headers["ETag"])
    except NotSatisfiable:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Length"] = str(span.length)
    if span.is_part:
        headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{size}"
    status = 206 if span.is_part else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return Streamed(_parts(attachment, span), status=status, headers=headers)


def _parts(attachment: Attachment, span: Span) -> Any:
    return storage.read(attachment.storage_name, start=span.start, length=span.length)


def _headers(attachment: Attachment, *, download: bool) -> dict[str, str]:
    shown = attachment.content_type in SHOWN
    name = attachment.name or attachment.kind
    return {
        "Content-Type": attachment.content_type if shown or _is_harmless(attachment) else UNKNOWN,
        "Content-Disposition": content_disposition_header(download or not shown, name) or "attachment",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": f"private, max-age={SHOWN_SECONDS}",
        "Accept-Ranges": "bytes",
        "ETag": f'"{attachment.sha256 or attachment.pk.hex}"',
    }


def _is_harmless(attachment: Attachment) -> bool:
    """Providers go by the type of what they fetch; a download's type harms nobody when it is on the list."""
    return attachment.content_type in ALLOWED
