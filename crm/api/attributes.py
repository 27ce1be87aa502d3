"""REST of the fields that a workspace adds to its contacts."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, WorkspaceView, checked, schema_of
from crm.models import AttributeType
from crm.payloads import AttributePayload, attribute_payload
from crm.services import attributes

MOST_CHOICES = 200


class AttributeListPayload(TypedDict):
    results: list[AttributePayload]


class ChangeBody(StrictSerializer):
    label = serializers.CharField(max_length=120, required=False)  # type: ignore[assignment]  # a field of that name
    choices = serializers.ListField(
        child=serializers.CharField(max_length=120), required=False, max_length=MOST_CHOICES
    )
    position = serializers.IntegerField(required=False, min_value=0, max_value=32_767)
    archived = serializers.BooleanField(required=False)
    key = serializers.RegexField(r"\A[a-z0-9_-]{1,60}\Z", required=False)
    type = serializers.ChoiceField(AttributeType.choices, required=False)


class NewBody(StrictSerializer):
    key = serializers.RegexField(r"\A[a-z0-9_-]{1,60}\Z", help_text="Lower-case letters, digits, - and _.")
    label = serializers.CharField(max_length=120)  # type: ignore[assignment]  # a field of that name
    type = serializers.ChoiceField(AttributeType.choices)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=120), required=False, max_length=MOST_CHOICES
    )
    position = serializers.IntegerField(required=False, min_value=0, max_value=32_767)


class AttributeList(WorkspaceView):
    @extend_schema(operation_id="list_attributes", responses={200: schema_of(AttributeListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        """All of them, in their order; archived ones are marked."""
        rows = attributes.visible_definitions(self.actor(request))
        return Response({"results": [attribute_payload(row) for row in rows]})

    @extend_schema(operation_id="define_attribute", request=NewBody, responses={201: schema_of(AttributePayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """For admins."""
        given: Any = checked(NewBody(data=request.data))
        made = attributes.define_attribute(actor=self.actor(request), fields=given)
        return Response(attribute_payload(made), status=201)


class AttributeDetail(WorkspaceView):
    @extend_schema(operation_id="change_attribute", request=ChangeBody, responses={200: schema_of(AttributePayload)})
    def patch(self, request: Request, workspace: str, attribute: UUID) -> Response:
        """For admins. Key and type stay as they are."""
        given: Any = checked(ChangeBody(data=request.data))
        changed = attributes.change_attribute(actor=self.actor(request), attribute_id=attribute, fields=given)
        return Response(attribute_payload(changed))

    @extend_schema(operation_id="archive_attribute", responses={204: None})
    def delete(self, request: Request, workspace: str, attribute: UUID) -> Response:
        """For admins. No longer asked for; values stay with the contacts."""
        attributes.change_attribute(actor=self.actor(request), attribute_id=attribute, fields={"archived": True})
        return Response(status=204)
