"""REST of teams, and of whether one is available."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, WorkspaceView, checked, schema_of
from crm.models import Availability, Team
from crm.services import availability, teams

MOST_MEMBERS = 500


class TeamMemberPayload(TypedDict):
    id: UUID
    name: str


class TeamPayload(TypedDict):
    id: UUID
    name: str
    hue: int
    assigns_itself: bool
    most_open: int | None
    members: list[TeamMemberPayload]


class TeamListPayload(TypedDict):
    results: list[TeamPayload]


def team_payload(team: Team) -> TeamPayload:
    return {
        "id": team.pk,
        "name": team.name,
        "hue": team.hue,
        "assigns_itself": team.assigns_itself,
        "most_open": team.most_open,
        "members": [{"id": one.user.pk, "name": one.user.display_name} for one in team.members.all()],
    }


class TeamBody(StrictSerializer):
    name = serializers.CharField(max_length=80)
    hue = serializers.IntegerField(required=False, min_value=1, max_value=8)
    assigns_itself = serializers.BooleanField(
        required=False, help_text="New conversations go round its members who are here"
    )
    most_open = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=1000)
    members = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MOST_MEMBERS)


class TeamList(WorkspaceView):
    @extend_schema(operation_id="list_teams", responses={200: schema_of(TeamListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        return Response({"results": [team_payload(team) for team in teams.visible_teams(self.actor(request))]})

    @extend_schema(operation_id="create_team", request=TeamBody, responses={201: schema_of(TeamPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        given: Any = checked(TeamBody(data=request.data))
        return Response(team_payload(teams.create_team(actor=self.actor(request), fields=given)), status=201)


class TeamDetail(WorkspaceView):
    @extend_schema(operation_id="get_team", responses={200: schema_of(TeamPayload)})
    def get(self, request: Request, workspace: str, team: UUID) -> Response:
        return Response(team_payload(teams.team_for(self.actor(request), team)))

    @extend_schema(operation_id="change_team", request=TeamBody, responses={200: schema_of(TeamPayload)})
    def patch(self, request: Request, workspace: str, team: UUID) -> Response:
        """`members` are all of them."""
        given: Any = checked(TeamBody(data=request.data, partial=True))
        return Response(team_payload(teams.change_team(actor=self.actor(request), team_id=team, fields=given)))

    @extend_schema(operation_id="delete_team", responses={204: None})
    def delete(self, request: Request, workspace: str, team: UUID) -> Response:
        """Its conversations stay with whom they have; its views, saved replies and macros go with it."""
        teams.delete_team(actor=self.actor(request), team_id=team)
        return Response(status=204)


class AvailabilityPayload(TypedDict):
    availability: str


class AvailabilityBody(StrictSerializer):
    availability = serializers.ChoiceField(Availability.choices)


class AvailabilityView(WorkspaceView):
    @extend_schema(operation_id="get_availability", responses={200: schema_of(AvailabilityPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        actor = self.member(request)
        return Response({"availability": availability.availability_of(actor.workspace_id, actor.user_id)})

    @extend_schema(
        operation_id="set_availability", request=AvailabilityBody, responses={200: schema_of(AvailabilityPayload)}
    )
    def put(self, request: Request, workspace: str) -> Response:
        """`handing` is away, and what one has becomes nobody's again."""
        actor, wanted = self.member(request), checked(AvailabilityBody(data=request.data))["availability"]
        return Response({"availability": availability.set_availability(actor=actor, availability=wanted)})
