"""REST of conversations and messages: parse, call one service or query, answer."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.actors import Caller, Member
from crm.api.base import WorkspaceView
from crm.features import Feature
from crm.paging import read_limit
from inbox import queries
from inbox.answers import list_answer, thread_answer
from inbox.models import Conversation, Message
from inbox.payloads import MessagePayload, message_payload
from inbox.services import conversations, messages, presence, templates
from inbox.services.composing import TemplateChoice
from inbox.services.templates import TemplatePayload
from inbox.states import ConversationStatus, Scope

QUERY = ("status", "assignee", "channel", "contact", "unread", "search", "order", "scope", "limit")


class InboxView(WorkspaceView):
    feature = Feature.INBOX


def _schema(payload: Any) -> dict[str, Any]:
    schema: dict[str, Any] = resolve_type_hint(payload)  # type: ignore[no-untyped-call]
    return schema


def _page_schema(payload: Any) -> dict[str, Any]:
    link_schema = {"type": "string", "nullable": True}
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": _schema(payload)},
            "next": link_schema,
            "previous": link_schema,
            "live": _schema(queries.LivePayload),
        },
    }


def _checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    if not serializer.is_valid():
        raise Invalid(errors=serializer.errors)
    data: dict[str, Any] = serializer.validated_data
    return data


# --- Conversations ----------------------------------------------------------------------------------------


class ListQuery(serializers.Serializer[Any]):
    status = serializers.ChoiceField(ConversationStatus.choices, required=False)
    assignee = serializers.CharField(required=False)
    channel = serializers.CharField(required=False)
    contact = serializers.UUIDField(required=False)
    unread = serializers.BooleanField(required=False)
    search = serializers.CharField(required=False, max_length=200)
    order = serializers.ChoiceField(["newest", "waiting"], required=False)
    scope = serializers.ChoiceField(Scope.choices, required=False)

    def wanted(self) -> queries.ListFilter:
        fields = {name: value for name, value in _checked(self).items() if value is not None}
        return queries.ListFilter(**{"scope": Scope.SUPPORT, **fields})


class ConversationList(InboxView):
    @extend_schema(
        parameters=[ListQuery, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses={200: _page_schema(queries.ReaderConversationPayload)},
        operation_id="list_conversations",
    )
    def get(self, request: Request, workspace: str) -> Response:
        query = request.query_params
        wanted = ListQuery(data=query).wanted()
        return Response(
            list_answer(
                self.actor(request),
                wanted,
                given={name: query[name] for name in QUERY if name in query},
                cursor=query.get("cursor"),
                limit=read_limit(query.get("limit")),
            )
        )


class ConversationDetail(InboxView):
    @extend_schema(responses={200: _schema(queries.ConversationDetailPayload)})
    def get(self, request: Request, workspace: str, conversation: UUID) -> Response:
        return Response(queries.get_conversation(self.actor(request), conversation))


class AssignBody(serializers.Serializer[Any]):
    assignee = serializers.CharField(allow_null=True)


class ConversationAssign(InboxView):
    @extend_schema(request=AssignBody, responses={200: _schema(queries.ReaderConversationPayload)})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        actor = self.actor(request)
        changed = conversations.assign_conversation(
            actor=actor,
            conversation_id=conversation,
            assignee_id=_assignee(actor, _checked(AssignBody(data=request.data))["assignee"]),
        )
        return _conversation(actor, changed)


def _assignee(actor: Caller, value: str | None) -> UUID | None:
    if value is None:
        return None
    if value == "me" and isinstance(actor, Member):
        return actor.user_id
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(errors={"assignee": "me, a member's id, or null."}) from None


class StatusBody(serializers.Serializer[Any]):
    # Snoozing needs a time to wake at and comes with it.
    status = serializers.ChoiceField([choice for choice in ConversationStatus.choices if choice[0] != "snoozed"])


class ConversationStatusView(InboxView):
    @extend_schema(request=StatusBody, responses={200: _schema(queries.ReaderConversationPayload)})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        actor = self.actor(request)
        status = ConversationStatus(_checked(StatusBody(data=request.data))["status"])
        changed = conversations.set_status(actor=actor, conversation_id=conversation, status=status)
        return _conversation(actor, changed)


def _conversation(actor: Caller, conversation: Conversation) -> Response:
    return Response(queries.get_conversation(actor, conversation.pk))


class ReadPayload(TypedDict):
    seen_count: int
    unread_count: int


class ReadBody(serializers.Serializer[Any]):
    seen_count = serializers.IntegerField(min_value=0, required=False)


class ConversationRead(InboxView):
    @extend_schema(
        request=ReadBody,
        responses={200: _schema(ReadPayload)},
    )
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        given = _checked(ReadBody(data=request.data)).get("seen_count")
        reader = conversations.mark_read(actor=self.member(request), conversation_id=conversation, seen_count=given)
        unread = reader.conversation.inbound_count - reader.seen_count
        return Response({"seen_count": reader.seen_count, "unread_count": max(unread, 0)})


# --- Templates --------------------------------------------------------------------------------------------


class TemplateListPayload(TypedDict):
    results: list[TemplatePayload]


class TemplateList(InboxView):
    @extend_schema(responses={200: _schema(TemplateListPayload)}, operation_id="list_templates")
    def get(self, request: Request, workspace: str, channel: str) -> Response:
        return Response({"results": templates.list_templates(self.actor(request), channel)})


class TemplateSync(InboxView):
    @extend_schema(request=None, responses={202: None})
    def post(self, request: Request, workspace: str, channel: str) -> Response:
        templates.request_sync(actor=self.actor(request), slug=channel)
        return Response(status=202)


# --- Messages -----------------------------------------------------------------------------------------------


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
    body = serializers.CharField(trim_whitespace=False, allow_blank=True, default="")
    reply_to = serializers.UUIDField(required=False, allow_null=True, default=None)
    attachments = serializers.ListField(child=serializers.UUIDField(), default=list)
    template = TemplateBody(required=False, allow_null=True, default=None)
    direction = serializers.ChoiceField(["out", "note"], default="out")
    seen_seq = serializers.IntegerField(min_value=0, required=False, allow_null=True)
    force = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["type"] == "text" and not attrs["attachments"] and not attrs["body"].strip():
            raise serializers.ValidationError({"body": "Write something first."})
        return attrs


class MessageList(InboxView):
    @extend_schema(
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses={200: _page_schema(MessagePayload)},
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

    @extend_schema(request=SendBody, responses={201: _schema(MessagePayload), 200: _schema(MessagePayload)})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        given = _checked(SendBody(data=request.data))
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
            seen_seq=given.get("seen_seq"),
            force=given["force"],
        )
        return Response(_message(message), status=201 if created else 200)


class MessageRetry(InboxView):
    @extend_schema(request=None, responses={200: _schema(MessagePayload)})
    def post(self, request: Request, workspace: str, conversation: UUID, message: UUID) -> Response:
        retried = messages.retry_message(actor=self.actor(request), conversation_id=conversation, message_id=message)
        return Response(_message(retried))


class ConversationTyping(InboxView):
    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        presence.tell_typing(actor=self.member(request), conversation_id=conversation)
        return Response(status=204)


def _message(message: Message) -> MessagePayload:
    return message_payload(message, message.conversation.contact.display_name)
