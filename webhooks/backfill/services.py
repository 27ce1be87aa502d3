"""Asking for a back-fill, and one run of it.

A run reads some pages of the provider's list, keeps what we do not have as deliveries of the usual kind, and leaves the
rest of the list to a job that follows. Nothing happens twice: each delivery has a key of its own, and so has whatever
comes of it, be it found here, delivered live at the same moment, or both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from config.errors import Invalid, NotFound
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, System
from crm.ids import uuid7
from crm.phones import from_international
from crm.roles import Action
from crm.services.contacts import Sender
from inbox.models import Channel, Message, MessageReceipt
from inbox.services import inbound
from inbox.states import ChannelKind, Direction, MessageStatus
from jobs.models import Job
from jobs.queue import enqueue
from jobs.running import RunningJob
from jobs.states import Status
from webhooks.backfill import gaps
from webhooks.backfill.kapso import KapsoSource
from webhooks.backfill.pages import Letter, Row, Source
from webhooks.backfill.twilio import WHATSAPP, TwilioSource
from webhooks.models import Delivery, DeliveryState
from webhooks.services import deliveries, late

TASK = "webhooks.backfill_channel"
# What somebody wrote longer ago is history to those who ask for it by hand: nobody is to be woken for it.
NEWS = timedelta(hours=24)
PATIENCE = timedelta(hours=1)
FAILURES = 3  # in a day
LONGEST_BACK = timedelta(days=365)
# Of one second, rows keep the order of the list by so much.
STEP = timedelta(milliseconds=1)
AT_ONCE = 50  # rows in one transaction


@dataclass(frozen=True, slots=True)
class Totals:
    listed: int = 0
    added: int = 0  # messages that were missing
    known: int = 0
    failed: int = 0  # could not be read, or are not of the provider's form
    states: int = 0  # what became of messages, where that was missing

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(**{name: value + getattr(other, name) for name, value in asdict(self).items()})


# --- Asking -----------------------------------------------------------------------------------------------


@unit_of_work
def ask(*, actor: Actor, channel_slug: str, since: datetime | None) -> tuple[str, datetime]:
    """By hand: the job's key, and from when on it looks. Without `since`, from where the channel is complete to."""
    check(actor, Action.MANAGE)
    channel = Channel.objects.filter(workspace_id=actor.workspace_id, slug=channel_slug.lower()).first()
    if channel is None:
        raise NotFound
    return ask_for(channel, since)


@unit_of_work
def ask_for(channel: Channel, since: datetime | None) -> tuple[str, datetime]:
    if channel.kind not in gaps.KINDS:
        raise Invalid(errors={"channel": "There is nothing to fetch for this kind of channel."})
    now = timezone.now()
    if since is not None and not now - LONGEST_BACK <= since <= now:
        raise Invalid(errors={"since": "A time within the last 365 days."})
    automatic = gaps.since_of(channel, gaps.complete_until(channel.pk))
    since = since or automatic
    news = max(since, min(automatic, now - NEWS))
    key = f"backfill:{channel.pk}:{uuid7()}"
    _enqueue(channel, key=key, since=since, news_since=news)
    return key, since


@unit_of_work
def look_after(channels: Iterable[Channel], *, delay: timedelta = timedelta()) -> int:
    """By itself. Where one is on its way, or was refused for good a while ago, no other is added."""
    wanted = list(channels)
    held = _held([channel.pk for channel in wanted])
    untils = gaps.complete_untils()
    due = [channel for channel in wanted if _lane(channel.pk) not in held]
    for channel in due:
        since = gaps.since_of(channel, untils.get(str(channel.pk)))
        # One a minute at most, however many processes start at once.
        key = f"backfill:{channel.pk}:{timezone.now():%Y%m%d%H%M}"
        _enqueue(channel, key=key, since=since, news_since=since, delay=delay)
    return len(due)


def _held(channel_ids: Sequence[UUID]) -> set[str]:
    """Lanes that are busy, or where it failed lately: once is a reason to wait, three times is one for a person."""
    jobs = Job.objects.filter(type=TASK, lane__in=[_lane(pk) for pk in channel_ids])
    busy = set(jobs.filter(status__in=[Status.PENDING, Status.PROCESSING]).values_list("lane", flat=True))
    ended = jobs.filter(status__in=[Status.COMPLETED, Status.FAILED], completed_at__gt=timezone.now() - NEWS)
    failures: dict[str, list[datetime]] = {}
    for lane, status, at in ended.order_by("completed_at").values_list("lane", "status", "completed_at"):
        if status == Status.COMPLETED:
            failures.pop(lane, None)
        elif at:
            failures.setdefault(lane, []).append(at)
    lately = timezone.now() - PATIENCE
    return busy | {lane for lane, times in failures.items() if len(times) >= FAILURES or times[-1] > lately}


def _lane(channel_id: UUID) -> str:
    return f"backfill:{channel_id}"


def _enqueue(
    channel: Channel, *, key: str, since: datetime, news_since: datetime, delay: timedelta = timedelta(), **more: Any
) -> None:
    enqueue(
        TASK,
        key=key,
        lane=_lane(channel.pk),
        workspace_id=channel.workspace_id,
        delay=delay,
        payload={"channel_id": channel.pk, "since": since, "news_since": news_since, **more},
    )


# --- One run ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """What a job was told. `began`: when the first of its kind began, for the mark that the last one sets."""

    channel_id: UUID
    since: datetime
    news_since: datetime
    began: datetime
    cursor: str = ""
    part: int = 1
    totals: Totals = Totals()


def run(*, job: RunningJob, order: Order) -> None:
    """May run twice: what was handed in the first time is known the second."""
    channel = Channel.objects.select_related("workspace").get(pk=order.channel_id)
    if not channel.is_active:
        with job.completing(result={"paused": True}):
            return
    source = source_of(channel)
    rows, cursor, unreadable = _collect(source, order)
    totals = order.totals + Totals(listed=len(rows) + unreadable, failed=unreadable)
    for chunk in _chunks(_placed(rows), AT_ONCE):
        missing = [(source.complete(row), at, states) for row, at, states in _missing(channel, chunk)]
        totals += Totals(known=len(chunk) - len(missing))
        totals += _hand_in(channel, source, missing, order)
    with job.completing(result={**asdict(totals), "part": order.part, "continues": bool(cursor)}):
        _go_on(channel, job, replace(order, totals=totals), cursor)


def source_of(channel: Channel) -> Source:
    return KapsoSource.of(channel) if channel.kind == ChannelKind.KAPSO else TwilioSource.of(channel)


def _collect(source: Source, order: Order) -> tuple[list[Row], str, int]:
    rows, cursor, unreadable = list[Row](), order.cursor, 0
    for _ in range(source.pages_at_most):
        page = source.page(order.since, cursor)
        rows += page.rows
        unreadable += page.unreadable
        cursor = page.cursor
        if not cursor:
            break
    return rows, cursor, unreadable


def _placed(rows: Sequence[Row]) -> list[tuple[Row, datetime]]:
    """Oldest first, each with its place in time: lists know whole seconds, and are newest first."""
    places: list[tuple[Row, datetime]] = []
    second, count = None, 0
    in_order = list(reversed(rows))
    in_order.sort(key=lambda row: row.at)
    for row in in_order:
        count = count + 1 if row.at == second else 0
        second = row.at
        places.append((row, row.at + min(count, 999) * STEP))
    return places


def _chunks(rows: Sequence[tuple[Row, datetime]], size: int) -> Iterable[Sequence[tuple[Row, datetime]]]:
    return (rows[place : place + size] for place in range(0, len(rows), size))


Missing = tuple[Row, datetime, list[str]]


def _missing(channel: Channel, rows: Sequence[tuple[Row, datetime]]) -> list[Missing]:
    """What we do not have of them: the message, or some of its states."""
    ids = [row.provider_id for row, _ in rows]
    messages = set(
        Message.objects.filter(channel=channel, provider_id__in=ids).values_list("provider_id", flat=True)
    ) | _kept_before(channel, rows)
    receipts = set(
        MessageReceipt.objects.filter(channel=channel, provider_id__in=ids).values_list("provider_id", "status")
    )
    found = []
    for row, at in rows:
        states = [state for state in row.states if (row.provider_id, state) not in receipts]
        is_message_missing = (row.is_inbound or row.is_foreign) and row.provider_id not in messages
        if is_message_missing or states:
            found.append((replace(row, is_foreign=row.is_foreign and is_message_missing), at, states))
    return found


def _kept_before(channel: Channel, rows: Sequence[tuple[Row, datetime]]) -> set[str]:
    """What an earlier run has handed in already. Not everything becomes a message: a reaction, a correction."""
    keys = {f"backfill:{row.provider_id}": row.provider_id for row, _ in rows}
    kept = Delivery.objects.filter(provider=channel.kind, channel_id=channel.pk, event_key__in=keys)
    return {keys[key] for key in kept.values_list("event_key", flat=True)}


def _hand_in(channel: Channel, source: Source, rows: Sequence[Missing], order: Order) -> Totals:
    """Together, so that one commit serves many; each by itself on its way from there."""
    totals = Totals()
    with transaction.atomic():
        for row, at, states in rows:
            if row.is_foreign and channel.kind == ChannelKind.TWILIO:
                totals += Totals(added=int(_record_echo(channel, row, at, is_history=at < order.news_since)))
            for letter in source.letters(row, states):
                is_state = letter.key != f"backfill:{row.provider_id}"
                place = letter.at if is_state else at
                totals += _keep(channel, letter, place, is_history=at < order.news_since, is_state=is_state)
    return totals


def _keep(channel: Channel, letter: Letter, place: datetime, *, is_history: bool, is_state: bool) -> Totals:
    delivery = Delivery(
        provider=channel.kind,
        channel_id=channel.pk,
        workspace_id=channel.workspace_id,
        event_key=letter.key,
        event=late.EVENT,
        headers={**letter.headers, **late.headers(place, is_history=is_history)},
        body=letter.body,
    )
    Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    kept = Delivery.objects.filter(
        provider=channel.kind, channel_id=channel.pk, event_key=letter.key, state=DeliveryState.KEPT
    ).first()
    if kept is None:  # another run has it
        return Totals()
    state = deliveries.unpack(delivery_id=kept.pk)["state"]
    if state == DeliveryState.FAILED:
        return Totals(failed=1)
    return Totals(states=1) if is_state else Totals(added=1)


def _record_echo(channel: Channel, row: Row, at: datetime, *, is_history: bool) -> bool:
    """What Twilio sent and we do not know: written past us, unless one of ours is just on its way to that person."""
    raw = row.raw
    ours = Message.objects.filter(
        Q(conversation__peer_address=raw["to"]) | Q(body=raw["body"]),
        channel=channel,
        direction=Direction.OUT,
        status__in=[MessageStatus.SENDING, MessageStatus.UNKNOWN],
    )
    if not raw["to"] or ours.exists():
        return False
    number = raw["to"].removeprefix(WHATSAPP)
    message = inbound.record_echo(
        actor=System(channel.workspace_id, channel.kind),
        channel=channel,
        echo=inbound.Echo(
            recipient=Sender(
                phone=from_international(number),
                whatsapp=number.lstrip("+") if raw["to"].startswith(WHATSAPP) else "",
            ),
            provider_id=row.provider_id,
            at=at,
            type="text",
            body=raw["body"],
            peer_address=raw["to"],
            place_at=at,
            is_history=is_history,
        ),
    )
    return message is not None


def _go_on(channel: Channel, job: RunningJob, order: Order, cursor: str) -> None:
    """The rest of the list, as the next job of the lane; or the mark that all of it was read."""
    if not cursor:
        gaps.mark_complete(channel.pk, order.since, order.began)
        return
    _enqueue(
        channel,
        key=f"{job.key.partition('#')[0]}#{order.part + 1}",
        since=order.since,
        news_since=order.news_since,
        began=order.began,
        cursor=cursor,
        part=order.part + 1,
        totals=asdict(order.totals),
    )
