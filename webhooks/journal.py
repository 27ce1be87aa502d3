"""Keeps deliveries before they are acknowledged: the journal row and the job that unpacks it, in one statement.

Natural batching: whatever arrives while one statement runs goes into the next. Idle, a batch is one delivery; there
is no timer to wait for. Every caller gets its answer after the commit.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import psycopg
from psycopg_pool import PoolTimeout

from config.errors import Unavailable
from config.live.pool import hot_pool
from jobs.queue import awake, insert_from
from jobs.tasks import named
from webhooks.outbox.topics import changed

logger = logging.getLogger(__name__)

BATCH = 200  # rows in one statement
WAITING = 5_000  # deliveries that may wait at once; beyond it the provider is asked to come again
UNPACK = "webhooks.unpack_delivery"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery whose signature was right. With a `failure` it is kept for people to see and nothing comes of it."""

    provider: str
    channel_id: UUID | None
    workspace_id: UUID | None
    event_key: str
    event: str
    headers: dict[str, str]
    body: bytes = field(repr=False)
    failure: str = ""  # why the content cannot be used, in a sentence

    @property
    def sort_key(self) -> tuple[str, str, str]:
        return (self.provider, str(self.channel_id), self.event_key)


# The arrays go in binary (%b): as text, psycopg would escape every quote of every body.
_SQL = f"""
with given as (
    select * from unnest(
        %(providers)b::text[], %(channels)b::uuid[], %(workspaces)b::uuid[], %(keys)b::text[], %(events)b::text[],
        %(headers)b::text[], %(bodies)b::bytea[], %(failures)b::text[]
    ) as given (provider, channel_id, workspace_id, event_key, event, headers, body, failure)
), kept as (
    insert into webhooks_delivery
        (provider, channel_id, workspace_id, event_key, event, headers, body, received_at, state, outcome)
    select provider, channel_id, workspace_id, event_key, event, headers::jsonb, body, now(),
        case failure when '' then 'kept' else 'failed' end,
        case failure when '' then '{{}}'::jsonb else jsonb_build_object('reason', failure) end
    from given
    on conflict do nothing
    returning id, workspace_id, state
)
{
    insert_from(
        f'''select 'delivery:' || id, '{UNPACK}', '', workspace_id, jsonb_build_object('delivery_id', id),
        %(max_attempts)s::int, %(outgoing)s::bool, interval '0' from kept where state = 'kept' order by id'''
    )
}
"""  # noqa: S608  # every part is a constant of the code


async def keep(arrival: Arrival) -> None:
    """Returns once it is committed, also when it was known already. Raises Unavailable: the provider sends it again."""
    loop = asyncio.get_running_loop()
    writer = _writers.get(loop)
    if writer is None:
        writer = _writers[loop] = _Writer()
    await writer.keep(arrival)


class _Writer:
    """One a process and loop: a list of what waits, and a task while there is something to write."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Arrival, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def keep(self, arrival: Arrival) -> None:
        if len(self._waiting) >= WAITING:
            raise Unavailable(retry_after=1)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._write(batch)
        finally:
            self._task = None

    async def _write(self, batch: list[tuple[Arrival, "asyncio.Future[None]"]]) -> None:
        try:
            await _insert([arrival for arrival, _ in batch])
        except (psycopg.Error, PoolTimeout, OSError) as error:
            await self._write_singly(batch, error)
        else:
            await awake()
            for workspace_id in {arrival.workspace_id for arrival, _ in batch}:
                changed(workspace_id)
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    async def _write_singly(self, batch: list[tuple[Arrival, "asyncio.Future[None]"]], error: Exception) -> None:
        """One bad row must harm nobody else."""
        if len(batch) > 1:
            for item in batch:
                await self._write([item])
            return
        logger.warning("delivery not kept", extra={"action": "delivery_not_kept", "reason": type(error).__name__})
        _, done = batch[0]
        if not done.done():
            done.set_exception(Unavailable(retry_after=1))


async def _insert(arrivals: Sequence[Arrival]) -> None:
    rows = sorted(arrivals, key=lambda arrival: arrival.sort_key)  # one order in every process: no deadlock
    task = named(UNPACK)
    pool = await hot_pool()
    async with pool.connection() as connection:
        await connection.execute(
            _SQL,
            {
                "providers": [row.provider for row in rows],
                "channels": [row.channel_id for row in rows],
                "workspaces": [row.workspace_id for row in rows],
                "keys": [row.event_key for row in rows],
                "events": [row.event for row in rows],
                "headers": [orjson.dumps(row.headers).decode() for row in rows],
                "bodies": [row.body for row in rows],
                "failures": [row.failure for row in rows],
                "max_attempts": task.max_attempts,
                "outgoing": task.outgoing,
            },
            prepare=True,
        )


_writers: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Writer]" = WeakKeyDictionary()
