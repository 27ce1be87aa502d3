"""Conversations that come back by themselves: at a time, or when the customer writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone
from django.utils.translation import gettext as _

from config.errors import Invalid
from config.live.unit import unit_of_work
from crm.actors import Actor, System
from crm.models import Workspace
from inbox.models import Conversation
from inbox.queries import with_lines
from inbox.services.amending import amend
from inbox.services.conversations import change_conversation
from inbox.states import ConversationStatus
from jobs.payloads import JSON
from jobs.queue import enqueue

WAKE = "inbox.wake"
LONGEST = timedelta(days=366)
MORNING, EVENING = time(9), time(18)
SUNDAY = 6
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Preset:
    key: str
    name: str
    until: datetime | None


def presets(workspace: Workspace, now: datetime | None = None) -> list[Preset]:
    """By the workspace's own clock, whatever the summer does to it."""
    zone = zone_of(workspace)
    here = (now or timezone.now()).astimezone(zone)

    def at(days: int, hour: time) -> datetime:
        return datetime.combine(here.date() + timedelta(days=days), hour, zone)

    to_monday = 7 - here.weekday() if here.weekday() < SUNDAY else 8  # on a Sunday the next one is "Tomorrow"
    found = [Preset("hour", _("In an hour"), here + timedelta(hours=1))]
    if here.time() < time(16):
        found.append(Preset("evening", _("This evening"), at(0, EVENING)))
    found += [
        Preset("tomorrow", _("Tomorrow"), at(1, MORNING)),
        Preset("next_week", _("Next week"), at(to_monday, MORNING)),
        Preset("month", _("In a month"), at(30, MORNING)),
        Preset("reply", _("Until they write"), None),
    ]
    return found


def zone_of(workspace: Workspace) -> ZoneInfo:
    try:
        return ZoneInfo(workspace.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def snooze_conversation(
    *, actor: Actor, conversation_id: UUID, until: datetime | None = None, preset: str = ""
) -> Conversation:
    """Without a time until the customer writes; what they write always wakes it."""
    if preset:
        until = _of_preset(Workspace.objects.get(pk=actor.workspace_id), preset)
    return _snooze(actor, conversation_id, until)


@unit_of_work
def _snooze(actor: Actor, conversation_id: UUID, until: datetime | None) -> Conversation:
    check_time(until)
    return change_conversation(
        actor=actor,
        conversation_id=conversation_id,
        wanted={"status": ConversationStatus.SNOOZED, "snoozed_until": until},
    )


def check_time(until: datetime | None) -> None:
    now = timezone.now()
    if until is not None and not now < until <= now + LONGEST:
        raise Invalid(errors={"until": "A time that is to come, within a year."})


def _of_preset(workspace: Workspace, key: str) -> datetime | None:
    for preset in presets(workspace):
        if preset.key == key:
            return preset.until
    raise Invalid(errors={"preset": "There is no such time to snooze until."})


def wake_due() -> Mapping[str, JSON]:
    """Asks for each that is due; the job looks again under the lock."""
    due = Conversation.objects.filter(
        snoozed_until__lte=timezone.now(), status=ConversationStatus.SNOOZED, deleted_at=None, merged_into=None
    )
    rows = list(due.order_by("snoozed_until").values_list("pk", "workspace_id", "snoozed_until")[:AT_ONCE])
    for pk, workspace_id, until in rows:
        if until is not None:
            _enqueue(pk, workspace_id, until)
    return {"due": len(rows)}


@unit_of_work
def _enqueue(pk: UUID, workspace_id: UUID, until: datetime) -> None:
    enqueue(
        WAKE,
        key=f"wake:{pk}:{until.isoformat()}",
        lane="",
        workspace_id=workspace_id,
        payload={"conversation_id": str(pk)},
    )


@unit_of_work
def wake(*, conversation_id: UUID) -> bool:
    """False when it woke before, or sleeps longer by now."""
    rows = Conversation.objects.select_for_update(of=("self",), no_key=True).filter(pk=conversation_id)
    if rows.filter(status=ConversationStatus.SNOOZED, snoozed_until__lte=timezone.now()).first() is None:
        return False
    conversation = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=conversation_id)
    if conversation.deleted_at is not None or conversation.merged_into_id is not None:
        return False
    return bool(amend(System(conversation.workspace_id, "snooze"), conversation, {"status": ConversationStatus.OPEN}))
