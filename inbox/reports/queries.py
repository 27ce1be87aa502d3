"""The report for whoever may read the inbox. Counted at most once a minute for the same question, and says when."""

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from crm.access import check
from crm.actors import Actor
from crm.errors import TooSlow
from crm.models import Workspace
from crm.queries.time_limit import time_limit
from crm.roles import Action
from inbox import queries
from inbox.clients import kapso_errors, twilio_errors
from inbox.models import Channel
from inbox.reports.asked import Asked, Span, span_of
from inbox.reports.counting import GOAL, STEPS, Messages, Talks, count_messages, count_talks
from inbox.reports.payloads import AgentPayload, FailurePayload, FiguresPayload, MedianPayload, ReportPayload
from inbox.services.snoozing import zone_of
from inbox.states import ChannelKind, Direction

FRESH = timedelta(minutes=1)
MOST = 8000  # milliseconds for each of the two statements
MEMORY = "32MB"  # at a million messages in a quarter they wrote to disk otherwise, for as long as counting took
MOST_KEPT = 500
MOST_FAILURES = 6


class ReportTooSlow(TooSlow):
    message = "This report takes too long to count. Choose fewer days or one channel."


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be asked for in this workspace."""

    workspace: Workspace
    zone: ZoneInfo
    channels: Sequence[Channel]
    agents: Sequence[dict[str, Any]]

    def channel(self, slug: str) -> Channel | None:
        return next((one for one in self.channels if one.slug == slug.lower()), None)


_lock = threading.Lock()
_kept: dict[tuple[UUID, str, Asked], tuple[datetime, ReportPayload | None]] = {}


def get_choices(actor: Actor, *, agents: bool = False) -> Choices:
    check(actor, Action.READ_INBOX)
    workspace = Workspace.objects.get(pk=actor.workspace_id)
    channels = Channel.objects.filter(workspace=workspace).only("slug", "name", "kind").order_by("name", "slug")
    return Choices(
        workspace, zone_of(workspace), list(channels), queries.list_agents(actor.workspace_id) if agents else []
    )


def get_report(actor: Actor, asked: Asked, choices: Choices, *, now: datetime | None = None) -> ReportPayload:
    """`now`: counted anew, up to that moment. That it took too long is kept as well: whoever reloads would only make it
    slower for all."""
    check(actor, Action.READ_INBOX)
    if now is not None:
        return _count(asked, choices, now)
    now, key = timezone.now(), (actor.workspace_id, str(choices.zone), asked)
    with _lock:
        known = _kept.get(key)
    if known is None or not known[0] <= now < known[0] + FRESH:
        try:
            known = now, _count(asked, choices, now)
        except ReportTooSlow:
            known = now, None
        with _lock:
            if len(_kept) >= MOST_KEPT:
                _kept.clear()
            _kept[key] = known
    if known[1] is None:
        raise ReportTooSlow
    return known[1]


def _count(asked: Asked, choices: Choices, now: datetime) -> ReportPayload:
    span = span_of(asked.days, choices.zone, now)
    try:
        with time_limit(MOST, memory=MEMORY):
            messages = count_messages(choices.workspace.pk, asked, span)
            talks = count_talks(choices.workspace.pk, asked, span)
    except TooSlow:
        raise ReportTooSlow from None
    return _report(asked, choices, span, messages, talks)


# --- From sums to the report ----------------------------------------------------------------------------------------


def _report(
    asked: Asked, choices: Choices, span: Span, messages: Sequence[Messages], talks: Sequence[Talks]
) -> ReportPayload:
    kinds = {channel.pk: channel.kind for channel in choices.channels}
    return {
        "counted_up_to": span.ends,
        "period": {
            "days": span.days,
            "begins": span.begins,
            "ends": span.ends,
            "before_begins": span.before,
            "before_ends": span.before_ends,
            "timezone": str(span.zone),
        },
        "channel": next((one.slug for one in choices.channels if one.pk == asked.channel_id), None),
        "agent": asked.agent_id,
        "goal_seconds": GOAL,
        "figures": _figures(messages, talks),
        "days": _days(messages, span),
        "first_replies": _bars(talks),
        "hours": _hours(messages, span),
        "failures": _failures(messages, kinds),
        "agents": _agents(talks),
    }


def _figures(messages: Sequence[Messages], talks: Sequence[Talks]) -> FiguresPayload:
    whole = {(row.part, row.is_now): row for row in talks if row.is_all}
    begun = {is_now: _number(whole.get(("begun", is_now))) for is_now in (True, False)}
    waiting = whole.get(("waiting", True))
    sent, broken = Counter[bool](), Counter[bool]()
    for row in messages:
        if row.direction == Direction.OUT:
            sent[row.is_now] += row.n
            broken[row.is_now] += row.n if row.channel else 0
    return {
        "first_reply": _median(whole, "replied"),
        "resolved_in": _median(whole, "resolved"),
        "conversations": {"count": begun[True], "before": begun[False]},
        "waiting": {
            "count": _number(waiting),
            "longest_since": datetime.fromtimestamp(float(waiting.seconds), UTC)
            if waiting and waiting.seconds is not None
            else None,
        },
        "not_delivered": {
            "count": broken[True],
            "sent": sent[True],
            "share": _share(broken[True], sent[True]),
            "before_share": _share(broken[False], sent[False]),
        },
    }


def _median(whole: dict[tuple[str, bool], Talks], part: str) -> MedianPayload:
    now, before = whole.get((part, True)), whole.get((part, False))
    return {
        "median_seconds": now.seconds if now else None,
        "before_seconds": before.seconds if before else None,
        "count": _number(now),
    }


def _number(row: Talks | None) -> int:
    return row.n if row else 0


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _days(messages: Sequence[Messages], span: Span) -> list[Any]:
    counts: dict[str, Counter[Any]] = defaultdict(Counter)
    for row in messages:
        if row.at is not None:
            counts[row.direction][row.at.astimezone(span.zone).date()] += row.n
    return [{"date": day, "in": counts[Direction.IN][day], "out": counts[Direction.OUT][day]} for day in span.dates]


def _hours(messages: Sequence[Messages], span: Span) -> list[list[int]]:
    """Of each weekday, Monday first, its hours: how many messages customers wrote."""
    hours = [[0] * 24 for _day in range(7)]
    for row in messages:
        if row.at is not None and row.direction == Direction.IN:
            here = row.at.astimezone(span.zone)
            hours[here.weekday()][here.hour] += row.n
    return hours


def _bars(talks: Sequence[Talks]) -> list[Any]:
    found = next((row.counts for row in talks if row.part == "replied" and row.is_all and row.is_now), None)
    counts = found[1:] if found else [0] * (len(STEPS) + 1)
    return [
        {"from_seconds": low, "to_seconds": high, "count": count}
        for low, high, count in zip((0, *STEPS), (*STEPS, None), counts, strict=True)
    ]


def _failures(messages: Sequence[Messages], kinds: dict[UUID, str]) -> list[FailurePayload]:
    """The most frequent reasons; what several codes mean alike stays apart, since people look for codes."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in messages:
        if row.is_now and row.channel:
            counts[row.code or "", _meaning(kinds.get(row.channel, ""), row.code or "")] += row.n
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [{"code": code, "message": message, "count": count} for (code, message), count in ordered[:MOST_FAILURES]]


def _meaning(kind: str, code: str) -> str:
    if not code:
        return ""
    return twilio_errors.explain(code) if kind == ChannelKind.TWILIO else kapso_errors.explain(code)


def _agents(talks: Sequence[Talks]) -> list[AgentPayload]:
    """Who did something, by how much they resolved."""
    rows: dict[UUID, AgentPayload] = {}
    for one in talks:
        if one.who is None or not one.is_now or one.is_all:
            continue
        row = rows.setdefault(one.who, _nobody(one.who, one.name or "", has_left=one.has_left))
        if one.part == "resolved":
            row["resolved"], row["resolved_median_seconds"] = one.n, one.seconds
        elif one.part == "replied":
            row["replied"], row["first_reply_median_seconds"] = one.n, one.seconds
            row["within_goal"] = _share(one.counts[0], one.n) if one.counts else None
        else:
            row["ratings"], row["rating"] = one.n, None if one.seconds is None else round(float(one.seconds), 2)
    return sorted(rows.values(), key=lambda row: (-row["resolved"], -row["replied"], row["name"], row["id"]))


def _nobody(who: UUID, name: str, *, has_left: bool) -> AgentPayload:
    return {
        "id": who,
        "name": name,
        "has_left": has_left,
        "resolved": 0,
        "resolved_median_seconds": None,
        "replied": 0,
        "first_reply_median_seconds": None,
        "within_goal": None,
        "rating": None,
        "ratings": 0,
    }
