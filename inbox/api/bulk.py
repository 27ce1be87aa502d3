"""REST of what is done with many conversations at once."""

from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import Invalid
from crm.actors import Caller
from crm.api.base import StrictSerializer, checked, schema_of
from inbox.api.base import InboxView
from inbox.api.conversations import ListQuery, read_assignee
from inbox.services import bulk
from inbox.services.amending import Wanted
from inbox.services.bulk import ItemPayload, Step
from inbox.services.labels import labels_called
from inbox.services.snoozing import check_time
from inbox.states import ConversationStatus, Priority

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


def read_step(actor: Caller, do: str, value: Any) -> Step:
    """One action as JSON spells it; Invalid with a sentence when its value does not fit."""
    if do in {"read", "unread"}:
        return Step({}, read=do == "read")
    if do in {"label", "unlabel"}:
        ids = labels_called(actor, _texts(value))
        return Step({}, add=ids) if do == "label" else Step({}, remove=ids)
    return Step(_wanted(actor, do, value))


def _wanted(actor: Caller, do: str, value: Any) -> Wanted:
    if do == "assign":
        if value is not None and not isinstance(value, str):
            raise _wrong("me, a member's id, or null.")
        return {"assignee_id": read_assignee(actor, value)}
    if do == "team":
        return {"team_id": _uuid(value)}
    if do == "status":
        if value not in set(ConversationStatus.values) - {"snoozed"}:
            raise _wrong("open, pending or resolved.")
        return {"status": value}
    if do == "snooze":
        moment = serializers.DateTimeField(allow_null=True)
        try:
            until = None if value is None else moment.run_validation(value)
        except serializers.ValidationError:
            raise _wrong("A time, or null.") from None
        check_time(until)
        return {"status": ConversationStatus.SNOOZED, "snoozed_until": until}
    if do == "priority":
        if value not in Priority.values:
            raise _wrong(f"One of: {', '.join(Priority.values)}.")
        return {"priority": value}
    if not isinstance(value, bool):
        raise _wrong("true or false.")
    return {"is_spam": value}


def _texts(value: Any) -> list[str]:
    given = value if isinstance(value, list) else [value]
    if not given or not all(isinstance(one, str) for one in given):
        raise _wrong("Names of labels.")
    return given


def _uuid(value: Any) -> UUID | None:
    try:
        return None if value is None else UUID(str(value))
    except ValueError:
        raise _wrong("An id, or null.") from None


def _wrong(sentence: str) -> Invalid:
    return Invalid(errors={"action": {"value": sentence}})
