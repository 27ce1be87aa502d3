"""REST of drafts: one's own, the same on all one's devices."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.api.base import StrictSerializer, Text, checked, schema_of
from inbox.api.base import InboxView
from inbox.payloads import DraftPayload, draft_payload
from inbox.senders import ATTACHMENTS_AT_MOST, NOTE_LIMIT
from inbox.services import drafts


class DraftTemplate(StrictSerializer):
    name = serializers.CharField(max_length=512)
    language = serializers.CharField(max_length=20)
    variables = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=2000), default=dict
    )


class DraftDetail(StrictSerializer):
    reply_to = serializers.UUIDField(required=False, allow_null=True)
    attachments = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=ATTACHMENTS_AT_MOST)
    template = DraftTemplate(required=False, allow_null=True)


class DraftBody(StrictSerializer):
    body = Text(allow_blank=True, trim_whitespace=False, max_length=NOTE_LIMIT)
    is_note = serializers.BooleanField(default=False)
    detail = DraftDetail(required=False, default=dict)
    version = serializers.IntegerField(min_value=0, max_value=2_000_000_000)


class DraftListPayload(TypedDict):
    results: list[DraftPayload]


class DraftView(InboxView):
    @extend_schema(operation_id="get_draft", responses={200: schema_of(DraftPayload)})
    def get(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """Without one the body is empty; its version is where the next save goes on."""
        return Response(drafts.get_draft(actor=self.member(request), conversation_id=conversation))

    @extend_schema(operation_id="save_draft", request=DraftBody, responses={200: schema_of(DraftPayload)})
    def put(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """`version` is the one this device has. Another by now: 409 `draft_changed` with the newer `draft`."""
        given = checked(DraftBody(data=request.data))
        saved = drafts.save_draft(
            actor=self.member(request),
            conversation_id=conversation,
            version=given["version"],
            body=given["body"],
            is_note=given["is_note"],
            detail=_plain(given["detail"]),
        )
        return Response(draft_payload(saved))

    @extend_schema(operation_id="delete_draft", parameters=[OpenApiParameter("version", int)], responses={204: None})
    def delete(self, request: Request, workspace: str, conversation: UUID) -> Response:
        version = request.query_params.get("version")
        if version is not None and not (version.isascii() and version.isdigit()):
            raise Invalid(errors={"version": "A whole number."})
        drafts.delete_draft(
            actor=self.member(request),
            conversation_id=conversation,
            version=int(version) if version is not None else None,
        )
        return Response(status=204)


def _plain(detail: dict[str, Any]) -> dict[str, Any]:
    """As JSON keeps it, and nothing that is empty."""
    plain: dict[str, Any] = {}
    if detail.get("reply_to"):
        plain["reply_to"] = str(detail["reply_to"])
    if detail.get("attachments"):
        plain["attachments"] = [str(one) for one in detail["attachments"]]
    if detail.get("template"):
        plain["template"] = dict(detail["template"])
    return plain


class DraftList(InboxView):
    @extend_schema(operation_id="list_drafts", responses={200: schema_of(DraftListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """One's own with something in them, newest first."""
        return Response({"results": drafts.list_drafts(actor=self.member(request))})
