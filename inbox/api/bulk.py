"""REST of what is done with many conversations at once."""

from typing import Any, TypedDict

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base import StrictSerializer, checked, schema_of
from inbox.api.base import InboxView
from inbox.api.conversations import ListQuery
from inbox.services import bulk
from inbox.services.bulk import ItemPayload
from inbox.steps import read_step

ACTIONS = ("assign", "team", "status", "snooze", "priority", "label", "unlabel", "spam", "read", "unread")


class ActionBody(StrictSerializer):
    do = serializers.ChoiceField(ACTIONS)
    value = serializers.JSONField(required=False, allow_null=True, default=None)


class ConversationBulkBody(StrictSerializer):
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=bulk.MOST)
    filter = serializers.DictField(required=False, help_text="As the list's query; the first 500 of it")
    action = ActionBody()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError({"ids": "Either ids or a filter."})
        return attrs


class BulkPayload(TypedDict):
    results: list[ItemPayload]
    changed: int
    undo: str | None  # good for 30 seconds
    undo_seconds: int


class UndoBody(StrictSerializer):
    undo = serializers.CharField(max_length=500_000)


class Bulk(InboxView):
    @extend_schema(
        operation_id="change_conversations", request=ConversationBulkBody, responses={200: schema_of(BulkPayload)}
    )
    def post(self, request: Request, workspace: str) -> Response:
        """Up to 500, each for itself: `results` says changed, unchanged or refused of each."""
        actor, given = self.actor(request), checked(ConversationBulkBody(data=request.data))
        step = read_step(actor, given["action"]["do"], given["action"]["value"])
        ids = given.get("ids")
        if ids is None:
            ids = bulk.chosen(actor, ListQuery(data=given["filter"]).wanted())
        return _answer(bulk.apply(actor=actor, ids=ids, step=step))


class BulkUndo(InboxView):
    @extend_schema(operation_id="undo_change_conversations", request=UndoBody, responses={200: schema_of(BulkPayload)})
    def post(self, request: Request, workspace: str) -> Response:
        """What nobody has changed since goes back. After 30 seconds 410 `undo_over`."""
        return _answer(bulk.undo(actor=self.actor(request), token=checked(UndoBody(data=request.data))["undo"]))


def _answer(done: bulk.Done) -> Response:
    changed = sum(item["result"] == "changed" for item in done.items)
    return Response({"results": done.items, "changed": changed, "undo": done.undo, "undo_seconds": bulk.UNDO_SECONDS})
