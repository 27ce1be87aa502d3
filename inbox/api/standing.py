"""REST of how a conversation stands: claimed, given to a team, its priority, snoozed, spam."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.api.base import StrictSerializer, checked, schema_of
from inbox import queries
from inbox.api.base import InboxView, answer_conversation
from inbox.services import conversations, snoozing
from inbox.states import Priority

ANSWER = {200: schema_of(queries.ConversationDetailPayload)}


class ConversationClaim(InboxView):
    @extend_schema(operation_id="claim_conversation", request=None, responses=ANSWER)
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """For oneself. Somebody else's already: 409 `already_claimed` with `assignee`."""
        actor = self.member(request)
        return answer_conversation(actor, conversations.claim_conversation(actor=actor, conversation_id=conversation))


class ConversationTeamBody(StrictSerializer):
    team = serializers.UUIDField(allow_null=True)


class ConversationTeam(InboxView):
    @extend_schema(operation_id="assign_team", request=ConversationTeamBody, responses=ANSWER)
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        actor, team = self.actor(request), checked(ConversationTeamBody(data=request.data))["team"]
        changed = conversations.change_conversation(actor=actor, conversation_id=conversation, wanted={"team_id": team})
        return answer_conversation(actor, changed)


class PriorityBody(StrictSerializer):
    priority = serializers.ChoiceField(Priority.choices)


class ConversationPriority(InboxView):
    @extend_schema(operation_id="set_priority", request=PriorityBody, responses=ANSWER)
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        actor, priority = self.actor(request), checked(PriorityBody(data=request.data))["priority"]
        changed = conversations.change_conversation(
            actor=actor, conversation_id=conversation, wanted={"priority": priority}
        )
        return answer_conversation(actor, changed)


class SpamBody(StrictSerializer):
    spam = serializers.BooleanField()


class ConversationSpam(InboxView):
    @extend_schema(operation_id="mark_spam", request=SpamBody, responses=ANSWER)
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """Spam is in no list but that of spam, and in no count."""
        actor, spam = self.actor(request), checked(SpamBody(data=request.data))["spam"]
        changed = conversations.change_conversation(actor=actor, conversation_id=conversation, wanted={"is_spam": spam})
        return answer_conversation(actor, changed)


class SnoozeBody(StrictSerializer):
    until = serializers.DateTimeField(required=False, allow_null=True, help_text="null: until the customer writes")
    preset = serializers.CharField(required=False, max_length=20)


class ConversationSnooze(InboxView):
    @extend_schema(operation_id="snooze_conversation", request=SnoozeBody, responses=ANSWER)
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """Comes back at the time, and earlier when the customer writes."""
        actor, given = self.actor(request), checked(SnoozeBody(data=request.data))
        if len(given) != 1:
            raise Invalid(errors={"until": "A time, null, or one of the presets."})
        changed = snoozing.snooze_conversation(
            actor=actor, conversation_id=conversation, until=given.get("until"), preset=given.get("preset", "")
        )
        return answer_conversation(actor, changed)


class PresetPayload(TypedDict):
    key: str
    name: str
    until: datetime | None


class PresetListPayload(TypedDict):
    results: list[PresetPayload]
    timezone: str


class SnoozePresets(InboxView):
    @extend_schema(operation_id="list_snooze_presets", responses={200: schema_of(PresetListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """By the workspace's clock."""
        known = queries.get_workspace(self.actor(request))
        rows = [{"key": one.key, "name": one.name, "until": one.until} for one in snoozing.presets(known)]
        return Response({"results": rows, "timezone": snoozing.zone_of(known).key})
