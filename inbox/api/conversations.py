"""REST of conversations: the list, one of them, who has it, how it stands, how far one has read it."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import NotFound
from crm.api.base import StrictSerializer, checked, schema_of
from crm.paging import read_limit
from inbox import queries
from inbox.answers import list_answer
from inbox.api.base import InboxView, answer_conversation, live_page_schema
from inbox.narrowing import ListFilter
from inbox.services import beginning, conversations, presence, snoozing
from inbox.services.joining import leads_to
from inbox.states import ConversationStatus, Priority, Scope
from inbox.steps import read_assignee

QUERY = (
    *("status", "assignee", "channel", "contact", "unread", "search", "order", "scope", "limit"),
    *("label", "priority", "team", "spam", "view"),
)


class ListQuery(serializers.Serializer[Any]):
    status = serializers.ChoiceField(ConversationStatus.choices, required=False)
    assignee = serializers.CharField(required=False)
    channel = serializers.CharField(required=False)
    contact = serializers.UUIDField(required=False)
    unread = serializers.BooleanField(required=False)
    search = serializers.CharField(required=False, max_length=200)
    order = serializers.ChoiceField(["newest", "oldest", "waiting", "priority"], required=False)
    label = serializers.CharField(required=False, max_length=60, help_text="by name")  # type: ignore[assignment]
    priority = serializers.ChoiceField(Priority.choices, required=False)
    team = serializers.CharField(required=False, help_text="an id, or none")
    spam = serializers.BooleanField(required=False, help_text="spam alone; it is in no other list")
    view = serializers.UUIDField(required=False, help_text="a saved view, which the other parameters narrow")
    scope = serializers.ChoiceField(Scope.choices, required=False)

    def wanted(self) -> ListFilter:
        fields = {name: value for name, value in checked(self).items() if value is not None}
        return ListFilter(**{"scope": Scope.SUPPORT, **fields})


class BeginBody(StrictSerializer):
    contact = serializers.UUIDField()
    channel = serializers.CharField(max_length=60, help_text="its slug")
    via = serializers.ChoiceField(["sms", "whatsapp"], required=False, help_text="where a channel has both")


class ConversationList(InboxView):
    @extend_schema(
        parameters=[ListQuery, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses={200: live_page_schema(queries.ReaderConversationPayload)},
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

    @extend_schema(
        request=BeginBody,
        responses={
            201: schema_of(queries.ConversationDetailPayload),
            200: schema_of(queries.ConversationDetailPayload),
        },
        operation_id="begin_conversation",
    )
    def post(self, request: Request, workspace: str) -> Response:
        """With a contact, on a channel: the latest one is opened again (200), else a new one begins (201)."""
        actor, given = self.actor(request), checked(BeginBody(data=request.data))
        begun, created = beginning.begin_conversation(
            actor=actor, contact_id=given["contact"], channel=given["channel"], via=given.get("via", "")
        )
        return Response(queries.get_conversation(actor, begun.pk), status=201 if created else 200)


class ConversationDetail(InboxView):
    @extend_schema(responses={200: schema_of(queries.ConversationDetailPayload), 301: None})
    def get(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """One that became part of another leads to it: 301."""
        actor = self.actor(request)
        try:
            return Response(queries.get_conversation(actor, conversation))
        except NotFound:
            now = leads_to(actor, conversation)
        where = f"/api/v1/workspaces/{actor.workspace_slug}/conversations/{now}/"
        return Response({"merged_into": now}, status=301, headers={"Location": where})


class AssignBody(serializers.Serializer[Any]):
    assignee = serializers.CharField(allow_null=True)


class ConversationAssign(InboxView):
    @extend_schema(request=AssignBody, responses={200: schema_of(queries.ReaderConversationPayload)})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        actor = self.actor(request)
        changed = conversations.assign_conversation(
            actor=actor,
            conversation_id=conversation,
            assignee_id=read_assignee(actor, checked(AssignBody(data=request.data))["assignee"]),
        )
        return answer_conversation(actor, changed)


class StatusBody(serializers.Serializer[Any]):
    status = serializers.ChoiceField(ConversationStatus.choices)
    until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="Of snoozed: when it comes back; null, or none given, is when the customer writes",
    )
    snoozed_until = serializers.DateTimeField(
        required=False, allow_null=True, help_text="The same, by the name that the conversation has it under"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        times = {attrs.pop(name) for name in ("until", "snoozed_until") if name in attrs}
        until = next((time for time in times if time is not None), None)
        if len(times) > 1 or (until is not None and attrs["status"] != ConversationStatus.SNOOZED):
            raise serializers.ValidationError({"until": "One time to wake at, and for snoozing alone."})
        return {**attrs, "until": until}


class ConversationStatusView(InboxView):
    @extend_schema(request=StatusBody, responses={200: schema_of(queries.ReaderConversationPayload)})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        actor = self.actor(request)
        given = checked(StatusBody(data=request.data))
        if given["status"] == ConversationStatus.SNOOZED:
            changed = snoozing.snooze_conversation(actor=actor, conversation_id=conversation, until=given["until"])
        else:
            status = ConversationStatus(given["status"])
            changed = conversations.set_status(actor=actor, conversation_id=conversation, status=status)
        return answer_conversation(actor, changed)


class ReadPayload(TypedDict):
    seen_count: int
    unread_count: int


class ReadBody(serializers.Serializer[Any]):
    seen_count = serializers.IntegerField(min_value=0, required=False)


class ConversationRead(InboxView):
    @extend_schema(
        request=ReadBody,
        responses={200: schema_of(ReadPayload)},
    )
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        given = checked(ReadBody(data=request.data)).get("seen_count")
        reader = conversations.mark_read(actor=self.member(request), conversation_id=conversation, seen_count=given)
        unread = reader.conversation.inbound_count - reader.seen_count
        return Response({"seen_count": reader.seen_count, "unread_count": max(unread, 0)})


class ConversationUnread(InboxView):
    @extend_schema(request=None, responses={200: schema_of(ReadPayload)})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """The newest incoming message counts as not seen any more, for oneself alone."""
        reader = conversations.mark_unread(actor=self.member(request), conversation_id=conversation)
        unread = reader.conversation.inbound_count - reader.seen_count
        return Response({"seen_count": reader.seen_count, "unread_count": max(unread, 0)})


class ConversationTyping(InboxView):
    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        presence.tell_typing(actor=self.member(request), conversation_id=conversation)
        return Response(status=204)
