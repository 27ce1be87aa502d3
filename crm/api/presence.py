"""REST of presence: who is where, and a way to be there without a socket."""

from typing import Any, TypedDict

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.live import presence
from config.live.events import head
from config.live.presence import ACTIVE, IDLE, Here, PersonPayload
from crm.api.base import WorkspaceView, checked, schema_of
from crm.presence import WORKSPACE, place_for


class LivePayload(TypedDict):
    topic: str
    seq: int


class PresencePayload(TypedDict):
    results: list[PersonPayload]
    live: LivePayload


class Scope(serializers.Serializer[Any]):
    scope = serializers.CharField(max_length=120, default=WORKSPACE)


class Touch(Scope):
    tab = serializers.UUIDField()
    state = serializers.ChoiceField([ACTIVE, IDLE], default=ACTIVE)
    draft = serializers.BooleanField(default=False)


SCOPE = OpenApiParameter("scope", description="`workspace` (default), `conversation.<id>` or `exam.<slug>`")


class Presence(WorkspaceView):
    @extend_schema(operation_id="list_presence", parameters=[SCOPE], responses={200: schema_of(PresencePayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """Who is there, longest here first, with the number of the live topic from before."""
        actor = self.actor(request)
        topic, _ = place_for(actor, checked(Scope(data=request.query_params))["scope"])
        seq = head(topic)
        return Response({"results": presence.people_on(topic), "live": {"topic": topic, "seq": seq}})

    @extend_schema(operation_id="touch_presence", request=Touch, responses={204: None})
    def post(self, request: Request, workspace: str) -> Response:
        """For clients without a socket: this tab is there, good for 60 seconds. With a socket, following the topic
        says the same."""
        given = checked(Touch(data=request.data))
        topic, who = place_for(self.actor(request), given["scope"])
        if who is not None:
            presence.touch(Here(topic, str(given["tab"]), who, given["state"], given["draft"]))
        return Response(status=204)
