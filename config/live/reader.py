"""Reads the event log for the hub, through the hot pool. Rows become frames here."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import PoolTimeout

from config.errors import Unavailable
from config.live import frames
from config.live.pool import hot_pool

logger = logging.getLogger(__name__)

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
    """As of a moment after the question. Thousands who come back at once ask for theirs in a few statements."""
    loop = asyncio.get_running_loop()
    asking = _asking.get(loop)
    if asking is None:
        asking = _asking[loop] = _Asking()
    return await asking.head(topic)


class _Asking:
    """Who asks while a statement runs is answered by the next one; alone, one is asked for at once."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, asyncio.Future[int]]] = []
        self._task: asyncio.Task[None] | None = None

    async def head(self, topic: str) -> int:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((topic, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                await self._answer(waiting)
        finally:
            self._task = None

    async def _answer(self, waiting: list[tuple[str, "asyncio.Future[int]"]]) -> None:
        try:
            found = await heads({topic for topic, _ in waiting})
            for topic, answer in waiting:
                if not answer.done():
                    answer.set_result(found[topic])
        except (psycopg.Error, PoolTimeout, OSError) as error:
            logger.warning(
                "Topics cannot be read", extra={"action": "live_heads_failed", "reason": type(error).__name__}
            )
        finally:
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(Unavailable(retry_after=1))


_asking: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Asking]" = WeakKeyDictionary()


async def heads(topics: Collection[str]) -> dict[str, int]:
    pool = await hot_pool()
    async with pool.connection() as connection:
        cursor = await connection.execute("select name, seq from live_topic where name = any(%s)", [list(topics)])
        rows = await cursor.fetchall()
    return dict.fromkeys(topics, 0) | dict(rows)
