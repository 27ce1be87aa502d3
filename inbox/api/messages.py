"""REST of a thread: its messages, sending, sending again."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import Text, read, schema_of
from crm.paging import read_limit
from crm.services.mentions import MOST_MENTIONS
from inbox.answers import thread_answer
from inbox.api.base import InboxView, live_page_schema
from inbox.models import Message
from inbox.payloads import MessagePayload, message_payload
from inbox.services import deleting, messages
from inbox.services.composing import TemplateChoice

SEND_TYPES = ("text", "image", "video", "audio", "document", "sticker", "template", "reaction")


class TemplateBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=512)
    language = serializers.CharField(max_length=20)
    variables = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False), default=dict
    )


class SendBody(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    type = serializers.ChoiceField(SEND_TYPES, default="text")
    body = Text(trim_whitespace=False, allow_blank=True, default="")
    reply_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    attachments = serializers.ListField(child=serializers.UUIDField(), default=list)
    template = TemplateBody(required=False, allow_null=True, default=None)
    direction = serializers.ChoiceField(["out", "note"], default="out")
    mentions = serializers.ListField(
        child=serializers.UUIDField(), default=list, max_length=MOST_MENTIONS, help_text="of a note: members and teams"
    )
    seen_seq = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    force = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["type"] == "text" and not attrs["attachments"] and not attrs["body"].strip():
            raise serializers.ValidationError({"body": "Write something first."})
        return attrs


class MessageList(InboxView):
    @extend_schema(
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses={200: live_page_schema(MessagePayload)},
        operation_id="list_messages",
    )
    def get(self, request: Request, workspace: str, conversation: UUID) -> Response:
        return Response(
            thread_answer(
                self.actor(request),
                conversation,
                cursor=request.query_params.get("cursor"),
                limit=read_limit(request.query_params.get("limit")),
            )
        )

    @extend_schema(request=SendBody, responses={201: schema_of(MessagePayload), 200: schema_of(MessagePayload)})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        given = read(SendBody, request.data)
        message, created = messages.send_message(
            actor=self.actor(request),
            conversation_id=conversation,
            client_id=given["client_id"],
            body=given["body"],
            type=given["type"],
            reply_to=given["reply_to"],
            attachments=given["attachments"],
            template=TemplateChoice(**given["template"]) if given["template"] else None,
            note=given["direction"] == "note",
            mentions=given["mentions"],
            seen_seq=given.get("seen_seq"),
            force=given["force"],
        )
        return Response(_message(message), status=201 if created else 200)


class MessageDetail(InboxView):
    @extend_schema(operation_id="delete_message", responses={204: None})
    def delete(self, request: Request, workspace: str, conversation: UUID, message: UUID) -> Response:
        """Out of our thread; what the customer has received they keep. Can be put back for a minute."""
        deleting.delete_message(actor=self.actor(request), conversation_id=conversation, message_id=message)
        return Response(status=204)


class MessageRestore(InboxView):
    @extend_schema(operation_id="restore_message", request=None, responses={200: schema_of(MessagePayload)})
    def post(self, request: Request, workspace: str, conversation: UUID, message: UUID) -> Response:
        back = deleting.restore_message(actor=self.actor(request), conversation_id=conversation, message_id=message)
        return Response(_message(back))


class MessageRetry(InboxView):
    @extend_schema(request=None, responses={200: schema_of(MessagePayload)})
    def post(self, request: Request, workspace: str, conversation: UUID, message: UUID) -> Response:
        retried = messages.retry_message(actor=self.actor(request), conversation_id=conversation, message_id=message)
        return Response(_message(retried))


def _message(message: Message) -> MessagePayload:
    contact = message.conversation.contact
    return message_payload(message, contact.display_name, contact.pk)
