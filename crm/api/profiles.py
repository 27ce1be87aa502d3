"""REST of a contact's profile, of the memory that assistants keep of it, and of how its billing stands."""

from typing import Any, TypedDict
from uuid import UUID

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import WorkspaceView, checked, schema_of
from crm.models import BurnoutBand
from crm.profiles import (
    BillingStatePayload,
    ProfilePayload,
    StatePayload,
    billing_of,
    billing_state_payload,
    profile_payload,
    state_payload,
)
from crm.services import profiles

ASSESSMENT_LIMIT = 64 * 1024  # bytes of JSON
MEMORY_LIMIT = 256 * 1024
SUMMARY_LIMIT = 64 * 1024  # characters
MOST_ZONES = 20
MOST_MESSAGES = 200


def _check_json(value: Any, most: int) -> None:
    text = orjson.dumps(value)
    if len(text) > most:
        raise serializers.ValidationError(f"At most {most} bytes of JSON.")
    if rb"\u0000" in text:
        raise serializers.ValidationError("Null characters are not allowed.")


class ProfileBody(serializers.Serializer[Any]):
    first_name = serializers.CharField(max_length=120, allow_blank=True)
    relationship = serializers.CharField(max_length=60, allow_blank=True)
    zip_code = serializers.CharField(max_length=20, allow_blank=True)
    journey_phase = serializers.CharField(max_length=60, allow_blank=True)
    burnout_score = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=100, allow_null=True
    )
    burnout_band = serializers.ChoiceField(BurnoutBand.choices, allow_blank=True)
    pressure_zones = serializers.ListField(child=serializers.CharField(max_length=60), max_length=MOST_ZONES)
    last_contact_at = serializers.DateTimeField(allow_null=True)
    assessment = serializers.DictField()

    def validate_assessment(self, value: dict[str, Any]) -> dict[str, Any]:
        _check_json(value, ASSESSMENT_LIMIT)
        return value


class StateBody(serializers.Serializer[Any]):
    recent_messages = serializers.ListField(max_length=MOST_MESSAGES)
    historical_summary = serializers.CharField(max_length=SUMMARY_LIMIT, allow_blank=True, trim_whitespace=False)
    conversation_started_at = serializers.DateTimeField(allow_null=True)

    def validate_recent_messages(self, value: list[Any]) -> list[Any]:
        _check_json(value, MEMORY_LIMIT)
        return value


class ContactProfileView(WorkspaceView):
    @extend_schema(operation_id="get_contact_profile", responses={200: schema_of(ProfilePayload)})
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        """What assessments and assistants have found out; empty while nobody has."""
        return Response(profile_payload(profiles.get_profile(self.actor(request), contact)))

    @extend_schema(
        operation_id="change_contact_profile", request=ProfileBody, responses={200: schema_of(ProfilePayload)}
    )
    def patch(self, request: Request, workspace: str, contact: UUID) -> Response:
        """What is not named stays as it is. A score without a band gets the band it falls into."""
        given = checked(ProfileBody(data=request.data, partial=True))
        return Response(
            profile_payload(profiles.update_profile(actor=self.actor(request), contact_id=contact, changes=given))
        )


class ContactStateView(WorkspaceView):
    @extend_schema(operation_id="get_contact_state", responses={200: schema_of(StatePayload)})
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        """An assistant's memory of the contact, and how much there has been to remember."""
        return Response(state_payload(profiles.get_memory(self.actor(request), contact)))

    @extend_schema(operation_id="change_contact_state", request=StateBody, responses={200: schema_of(StatePayload)})
    def patch(self, request: Request, workspace: str, contact: UUID) -> Response:
        """What is not named stays. How many messages there were, and when the last one was, is counted here."""
        given = checked(StateBody(data=request.data, partial=True))
        return Response(
            state_payload(profiles.update_memory(actor=self.actor(request), contact_id=contact, changes=given))
        )


class BillingAnswer(TypedDict):
    billing: BillingStatePayload | None


class ContactBillingView(WorkspaceView):
    @extend_schema(operation_id="get_contact_billing", responses={200: schema_of(BillingAnswer)})
    def get(self, request: Request, workspace: str, contact: UUID) -> Response:
        """How the contact's subscription stands; null where there is none."""
        account = billing_of(self.actor(request), contact)
        return Response({"billing": billing_state_payload(account) if account else None})
