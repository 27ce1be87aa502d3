"""Forgets old events. Counters stay, so that a reader from before is told to load the snapshot."""

from django.db import connection

KEPT_HOURS = 24
KEPT_PER_TOPIC = 10_000
# Rows a statement deletes at most, so that none holds locks for long.
BATCH = 5_000

# Always a topic's oldest numbers, never some in the middle: a kept range without holes is what resuming relies on.
_FORGET = """
with stale as (
    select topic, max(seq) as seq from live_event where at < now() - make_interval(hours => %(hours)s) group by topic
), bounds as (
    select t.name as topic, greatest(t.seq - %(kept)s, coalesce(s.seq, 0)) as seq
    from live_topic t left join stale s on s.topic = t.name
    where t.seq > %(kept)s or s.seq is not null
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
        cursor.execute(_FORGET, {"hours": KEPT_HOURS, "kept": KEPT_PER_TOPIC, "batch": BATCH})
        return int(cursor.rowcount)
