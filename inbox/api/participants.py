"""REST of who takes part in a conversation besides whom it is assigned to."""

from typing import TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.actors import Caller, Member
from crm.api.base import StrictSerializer, checked, schema_of
from inbox.api.base import InboxView
from inbox.services import watching


class ParticipantListPayload(TypedDict):
    results: list[watching.ParticipantPayload]


ANSWER = {200: schema_of(ParticipantListPayload)}


class ParticipantBody(StrictSerializer):
    user = serializers.CharField(default="me", max_length=36, help_text="me, or a member's id")


class ParticipantList(InboxView):
    @extend_schema(operation_id="list_participants", responses=ANSWER)
    def get(self, request: Request, workspace: str, conversation: UUID) -> Response:
        return Response({"results": watching.list_participants(self.actor(request), conversation)})

    @extend_schema(operation_id="take_part", request=ParticipantBody, responses=ANSWER)
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """Oneself by default, for whoever may read it; others, for whoever may assign."""
        actor = self.actor(request)
        user = _user(actor, checked(ParticipantBody(data=request.data))["user"])
        now = watching.take_part(actor=actor, conversation_id=conversation, user_id=user)
        return Response({"results": now})


class ParticipantDetail(InboxView):
    @extend_schema(operation_id="stop_taking_part", responses=ANSWER)
    def delete(self, request: Request, workspace: str, conversation: UUID, user: str) -> Response:
        """`me`, or an id."""
        actor = self.actor(request)
        now = watching.stop(actor=actor, conversation_id=conversation, user_id=_user(actor, user))
        return Response({"results": now})


def _user(actor: Caller, given: str) -> UUID:
    if given == "me" and isinstance(actor, Member):
        return actor.user_id
    try:
        return UUID(given)
    except ValueError:
        raise Invalid(errors={"user": "me, or a member's id."}) from None
