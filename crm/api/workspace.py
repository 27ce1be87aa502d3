"""REST of the workspace itself: its settings and its features."""

from typing import TypedDict
from uuid import UUID
from zoneinfo import available_timezones

from drf_spectacular.utils import extend_schema
from phonenumbers import SUPPORTED_REGIONS
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm import features
from crm.api.base import StrictSerializer, WorkspaceView, checked, schema_of
from crm.models import Workspace
from crm.services.features import set_features
from crm.services.settings import change_workspace

MOST_STATUSES = 20


class WorkspacePayload(TypedDict):
    id: UUID
    slug: str
    name: str
    timezone: str
    default_region: str
    lead_statuses: list[str]


def workspace_payload(workspace: Workspace) -> WorkspacePayload:
    return {
        "id": workspace.pk,
        "slug": workspace.slug,
        "name": workspace.name,
        "timezone": workspace.timezone,
        "default_region": workspace.default_region,
        "lead_statuses": workspace.lead_statuses,
    }


class WorkspaceBody(StrictSerializer):
    name = serializers.CharField(max_length=200, required=False)
    timezone = serializers.CharField(max_length=60, required=False)
    default_region = serializers.CharField(max_length=2, required=False)
    lead_statuses = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=MOST_STATUSES, required=False
    )

    def validate_timezone(self, value: str) -> str:
        if value not in available_timezones():
            raise serializers.ValidationError("There is no time zone of this name.")
        return value

    def validate_default_region(self, value: str) -> str:
        if value.upper() not in SUPPORTED_REGIONS:
            raise serializers.ValidationError("There is no country of this code.")
        return value.upper()

    def validate_lead_statuses(self, value: list[str]) -> list[str]:
        if len({word.casefold() for word in value}) != len(value):
            raise serializers.ValidationError("Each only once.")
        return value


class WorkspaceDetail(WorkspaceView):
    @extend_schema(operation_id="get_workspace", responses={200: schema_of(WorkspacePayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """For every member: pages need the time zone and the board's columns."""
        return Response(workspace_payload(Workspace.objects.get(pk=self.actor(request).workspace_id)))

    @extend_schema(operation_id="change_workspace", request=WorkspaceBody, responses={200: schema_of(WorkspacePayload)})
    def patch(self, request: Request, workspace: str) -> Response:
        given = checked(WorkspaceBody(data=request.data))
        return Response(workspace_payload(change_workspace(actor=self.actor(request), **given)))


class FeatureBody(StrictSerializer):
    """A switch for each feature; those that are not named stay as they are."""

    inbox = serializers.BooleanField(required=False)
    proctoring = serializers.BooleanField(required=False)
    leaderboard = serializers.BooleanField(required=False)
    widget = serializers.BooleanField(required=False)
    outgoing_webhooks = serializers.BooleanField(required=False)


class FeaturesView(WorkspaceView):
    @extend_schema(operation_id="list_features", responses={200: FeatureBody})
    def get(self, request: Request, workspace: str) -> Response:
        return Response(features.all_of(Workspace.objects.get(pk=self.actor(request).workspace_id)))

    @extend_schema(operation_id="set_features", request=FeatureBody, responses={200: FeatureBody})
    def patch(self, request: Request, workspace: str) -> Response:
        """What is off answers 403 `feature_off`; its data stays, and is there again when it is on."""
        return Response(
            features.all_of(set_features(actor=self.actor(request), switches=checked(FeatureBody(data=request.data))))
        )
