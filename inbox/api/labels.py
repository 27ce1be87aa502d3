"""REST of labels, and of which a conversation wears."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, checked, schema_of
from inbox import queries
from inbox.api.base import InboxView, answer_conversation
from inbox.models import Label
from inbox.services import labels

MOST_AT_ONCE = 50


class LabelDetailPayload(TypedDict):
    id: UUID
    name: str
    hue: int


class LabelListPayload(TypedDict):
    results: list[LabelDetailPayload]


class LabelBody(StrictSerializer):
    name = serializers.CharField(max_length=60)
    hue = serializers.IntegerField(required=False, min_value=1, max_value=8)


def label_payload(label: Label) -> LabelDetailPayload:
    return {"id": label.pk, "name": label.name, "hue": label.hue}


class LabelList(InboxView):
    @extend_schema(operation_id="list_labels", responses={200: schema_of(LabelListPayload)})
    def get(self, request: Request, workspace: str) -> Response:
        return Response({"results": [label_payload(row) for row in labels.list_labels(self.actor(request))]})

    @extend_schema(operation_id="create_label", request=LabelBody, responses={201: schema_of(LabelDetailPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """A name that is taken, in upper or lower case, is 409 `label_taken`."""
        made = labels.create_label(actor=self.actor(request), **checked(LabelBody(data=request.data)))
        return Response(label_payload(made), status=201)


class LabelDetail(InboxView):
    @extend_schema(operation_id="change_label", request=LabelBody, responses={200: schema_of(LabelDetailPayload)})
    def patch(self, request: Request, workspace: str, label: UUID) -> Response:
        given: Any = checked(LabelBody(data=request.data, partial=True))
        return Response(label_payload(labels.change_label(actor=self.actor(request), label_id=label, fields=given)))

    @extend_schema(operation_id="delete_label", responses={204: None})
    def delete(self, request: Request, workspace: str, label: UUID) -> Response:
        """Whatever wears it wears it no longer."""
        labels.delete_label(actor=self.actor(request), label_id=label)
        return Response(status=204)


def _names() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=MOST_AT_ONCE)


class WornBody(StrictSerializer):
    labels = _names()
    add = _names()
    remove = _names()


class ConversationLabels(InboxView):
    @extend_schema(
        operation_id="set_labels", request=WornBody, responses={200: schema_of(queries.ConversationDetailPayload)}
    )
    def post(self, request: Request, workspace: str, conversation: UUID) -> Response:
        """By name or id: all of them as `labels`, or some to `add` and some to `remove`."""
        actor, given = self.actor(request), checked(WornBody(data=request.data))
        changed = labels.set_labels(
            actor=actor,
            conversation_id=conversation,
            names=given.get("labels"),
            add=given.get("add", ()),
            remove=given.get("remove", ()),
        )
        return answer_conversation(actor, changed)
