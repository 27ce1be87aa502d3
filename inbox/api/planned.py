"""REST of replies that go out later: planned, listed, taken back, sent now."""

from typing import TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, Text, checked, schema_of
from inbox import queries
from inbox.access import conversation_for
from inbox.api.base import InboxView
from inbox.payloads import MessagePayload, PlannedPayload, message_payload, planned_payload
from inbox.senders import NOTE_LIMIT
from inbox.services import planning


class PlannedBody(StrictSerializer):
    client_id = serializers.UUIDField(help_text="which the message will have")
    body = Text(trim_whitespace=False, max_length=NOTE_LIMIT)
    send_at = serializers.DateTimeField()


class PlannedListPayload(TypedDict):
    results: list[PlannedPayload]


class PlannedList(InboxView):
    @extend_schema(operation_id="list_planned_messages", responses={200: schema_of(PlannedListPayload)})
    def get(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """Those that wait for their time and those that were held back, the next one first."""
        seen = conversation_for(self.actor(request), conversation)
        return Response({"results": queries.list_planned(seen.pk)})

    @extend_schema(
        operation_id="plan_message",
        request=PlannedBody,
        responses={201: schema_of(PlannedPayload), 200: schema_of(PlannedPayload)},
    )
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """Text that goes out at a time. Where WhatsApp's window shuts before it: 409 `window_closed`. What the customer
        writes meanwhile holds it back for a person. The same `client_id` again is the same (200)."""
        given = checked(PlannedBody(data=request.data))
        planned, created = planning.plan_message(actor=self.member(request), conversation_id=conversation, **given)
        return Response(planned_payload(planned), status=201 if created else 200)


class PlannedDetail(InboxView):
    @extend_schema(operation_id="take_back_planned_message", responses={204: None})
    def delete(self, request: Request, workspace: str, conversation: UUID, planned: UUID) -> Response:
        """Whoever may answer there may. Gone out by then: 409 `already_sent`."""
        planning.take_back(actor=self.member(request), conversation_id=conversation, planned_id=planned)
        return Response(status=204)


class PlannedSend(InboxView):
    @extend_schema(operation_id="send_planned_message", request=None, responses={200: schema_of(MessagePayload)})
    def post(self, request: Request, workspace: str, conversation: UUID, planned: UUID) -> Response:
        """Now, in one's own name, also when it was held back."""
        actor = self.member(request)
        message = planning.send_now(actor=actor, conversation_id=conversation, planned_id=planned)
        contact = message.conversation.contact
        return Response(message_payload(message, contact.display_name, contact.pk))
