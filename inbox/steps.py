"""Steps as JSON spells them, `{"do", "value"}`: of macros and of what is done with many conversations at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework import serializers

from config.errors import Invalid
from crm.actors import Caller, Member
from inbox.models import Conversation
from inbox.services.amending import Wanted
from inbox.services.bulk import Step
from inbox.services.labels import labels_called
from inbox.services.snoozing import check_time
from inbox.states import ConversationStatus, Priority
from inbox.variables import Filled, fill


@dataclass(frozen=True, slots=True)
class Doing:
    """A step of a macro as it will be done."""

    do: str
    wanted: Wanted
    add: frozenset[UUID] = frozenset()
    remove: frozenset[UUID] = frozenset()
    text: Filled | None = None


def doing_of(actor: Caller, conversation: Conversation, steps: Iterable[Mapping[str, Any]]) -> list[Doing]:
    return [_doing(actor, conversation, step["do"], step["value"]) for step in steps]


def _doing(actor: Caller, conversation: Conversation, do: str, value: Any) -> Doing:
    if do in {"reply", "note"}:
        return Doing(do, {}, text=fill(actor, conversation, value))
    step = read_step(actor, do, value)
    return Doing(do, step.wanted, step.add, step.remove)


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


def read_assignee(actor: Caller, value: str | None) -> UUID | None:
    if value is None:
        return None
    if value == "me" and isinstance(actor, Member):
        return actor.user_id
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(errors={"assignee": "me, a member's id, or null."}) from None
