"""Reads and writes the event log for sync code. The only place that gives out numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol, TypeVar

import orjson

from config.arrays import array
from config.live import prepared
from config.live.models import LiveEvent, LiveTopic

# One statement, so that a unit of work pays one round trip and holds the topic rows no longer than its commit takes.
# `counts` comes sorted by topic: every writer locks topic rows in the same order, so writers cannot deadlock.
# clock_timestamp(), not now(): by then the topic row is ours, so times rise with the numbers.
APPEND = """
with counts as (
    select topic, added from unnest(%(topics)s::text[], %(counts)s::bigint[]) as c(topic, added)
), bumped as (
    insert into live_topic as t (name, seq) select topic, added from counts
    on conflict (name) do update set seq = t.seq + excluded.seq
    returning t.name, t.seq
), entries as (
    select topic, place, type, version, data
    from unnest(
        %(entry_topics)s::text[], %(places)s::bigint[], %(types)s::text[], %(versions)s::int[], %(data)s::text[]
    ) as e(topic, place, type, version, data)
)
insert into live_event (topic, seq, type, version, data, at)
select e.topic, b.seq - c.added + e.place, e.type, e.version, e.data, clock_timestamp()
from entries e join counts c on c.topic = e.topic join bumped b on b.name = e.topic
returning topic, seq, at
"""


class Entry(Protocol):
    """Something to append: `data` is JSON text."""

    topic: str
    type: str
    version: int
    data: str


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Logged:
    """One event as it stands in the log."""

    topic: str
    seq: int
    type: str
    version: int
    at: datetime
    json: str

    @property
    def data(self) -> Any:
        return orjson.loads(self.json)


def append_parameters(entries: Sequence[Entry]) -> dict[str, Any]:
    """The parameters of APPEND. Within a topic the order of `entries` is kept."""
    grouped = {topic: list(of) for topic, of in groupby(sorted(entries, key=_topic), key=_topic)}
    flat = [(topic, place, e) for topic, of in grouped.items() for place, e in enumerate(of, start=1)]
    return {
        "topics": array(grouped),
        "counts": array(len(of) for of in grouped.values()),
        "entry_topics": array(topic for topic, _, _ in flat),
        "places": array(place for _, place, _ in flat),
        "types": array(e.type for _, _, e in flat),
        "versions": array(e.version for _, _, e in flat),
        "data": array(e.data for _, _, e in flat),
    }


def append(entries: Sequence[E]) -> list[tuple[E, int, datetime]]:
    """Numbers and stores the entries inside the open transaction; they come back sorted by topic and number."""
    rows = sorted(prepared.fetch(APPEND, append_parameters(entries)))
    return [(entry, seq, at) for entry, (_, seq, at) in zip(sorted(entries, key=_topic), rows, strict=True)]


# The newest number of %(topic)s as an expression, for a statement that asks for more than it.
HEAD = "coalesce((select seq from live_topic where name = %(topic)s), 0)"


def heads(topics: Iterable[str]) -> dict[str, int]:
    wanted = dict.fromkeys(topics, 0)
    return wanted | dict(LiveTopic.objects.filter(name__in=wanted).values_list("name", "seq"))


def after(topic: str, seq: int, limit: int) -> list[Logged]:
    """In order. A first number other than `seq + 1` means that what lay between is no longer kept."""
    rows = LiveEvent.objects.filter(topic=topic, seq__gt=seq).order_by("seq")
    return [Logged(*row) for row in rows.values_list("topic", "seq", "type", "version", "at", "data")[:limit]]


def _topic(entry: Entry) -> str:
    return entry.topic
