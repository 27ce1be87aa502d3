"""Forgets old events. Counters stay, so that a reader from before is told to load the snapshot."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

KEPT_HOURS = 24
KEPT_PER_TOPIC = 10_000
# Rows a statement deletes at most, so that none holds locks for long.
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class _Kept:
    hours: int
    events: int


_longer: dict[str, _Kept] = {}


def keep(kind: str, *, hours: int, events: int) -> None:
    """Topics whose first word is `kind` are kept so long, or so many of their events, whichever is less."""
    _longer[kind] = _Kept(hours, events)


# Always a topic's oldest numbers, never some in the middle: a kept range without holes is what resuming relies on.
_FORGET = """
with longer as (
    select * from unnest(%(kinds)s::text[], %(kind_hours)s::int[], %(kind_kept)s::bigint[]) as l(kind, hours, kept)
), stale as (
    select e.topic, max(e.seq) as seq from live_event e left join longer l on l.kind = split_part(e.topic, '.', 1)
    where e.at < now() - make_interval(hours => %(shortest)s)
        and e.at < now() - make_interval(hours => coalesce(l.hours, %(hours)s))
    group by e.topic
), bounds as (
    select t.name as topic, greatest(t.seq - coalesce(l.kept, %(kept)s), coalesce(s.seq, 0)) as seq
    from live_topic t
    left join longer l on l.kind = split_part(t.name, '.', 1)
    left join stale s on s.topic = t.name
    where t.seq > coalesce(l.kept, %(kept)s) or s.seq is not null
), doomed as (
    select e.topic, e.seq from live_event e join bounds b on b.topic = e.topic and e.seq <= b.seq
    order by e.topic, e.seq limit %(batch)s
)
delete from live_event e using doomed d where e.topic = d.topic and e.seq = d.seq
"""


def prune() -> int:
    """Deletes in batches until nothing is too old or too many; answers how many events went."""
    gone = 0
    while deleted := _prune_batch():
        gone += deleted
    return gone


def _prune_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, _parameters())
        return int(cursor.rowcount)


def _parameters() -> dict[str, Any]:
    return {
        "kinds": list(_longer),
        "kind_hours": [kept.hours for kept in _longer.values()],
        "kind_kept": [kept.events for kept in _longer.values()],
        "shortest": min([KEPT_HOURS, *(kept.hours for kept in _longer.values())]),
        "hours": KEPT_HOURS,
        "kept": KEPT_PER_TOPIC,
        "batch": BATCH,
    }
