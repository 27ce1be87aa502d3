"""Reads the event log for the hub, through the hot pool. Rows become frames here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from config.live import frames
from config.live.pool import hot_pool
from config.live.together import OfLoop

PAGE = 100
_BIGGEST = 2**63 - 1

# Number and events in one statement, hence of one moment: the head is never behind the last event.
_READ = """
select coalesce(t.seq, 0), e.seq, e.type, e.version, e.at, e.data
from (select (select seq from live_topic where name = %(topic)s) as seq) t
left join lateral (
    select seq, type, version, at, data from live_event
    where topic = %(topic)s and seq > %(after)s order by seq limit %(limit)s
) e on true
order by e.seq
"""


@dataclass(frozen=True, slots=True)
class Page:
    head: int
    # Number and frame, in order
    events: list[tuple[int, str]]

    def continues(self, after: int) -> bool:
        """Whether everything since `after` is there: neither pruned nor beyond the newest number."""
        first = self.events[0][0] if self.events else self.head + 1
        return after <= self.head and first == after + 1


async def page(topic: str, after: int, limit: int = PAGE) -> Page:
    pool = await hot_pool()
    async with pool.connection() as connection:
        cursor = await connection.execute(_READ, {"topic": topic, "after": min(after, _BIGGEST), "limit": limit})
        rows = await cursor.fetchall()
    events = [
        (seq, frames.event(topic, seq, type_, version, at, data))
        for _, seq, type_, version, at, data in rows
        if seq is not None
    ]
    return Page(head=rows[0][0], events=events)


async def head(topic: str) -> int:
    """As of a moment after the question."""
    return await _heads.ask(topic)


async def heads(topics: Collection[str]) -> dict[str, int]:
    pool = await hot_pool()
    async with pool.connection() as connection:
        cursor = await connection.execute("select name, seq from live_topic where name = any(%s)", [list(topics)])
        rows = await cursor.fetchall()
    return dict.fromkeys(topics, 0) | dict(rows)


async def _each(topics: Sequence[str]) -> list[int]:
    found = await heads(set(topics))
    return [found[topic] for topic in topics]


_heads: OfLoop[str, int] = OfLoop(_each)
