"""Keeps deliveries before they are acknowledged: the journal row and the job that reads it, in one statement.

Natural batching: whatever arrives while one statement runs goes into the next. Idle, a batch is one delivery; there
is no timer to wait for. Every caller gets its answer after the commit.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import psycopg
from psycopg_pool import PoolTimeout

from config.errors import Unavailable
from config.live.pool import hot_pool
from jobs.queue import awake, insert_from
from jobs.tasks import named
from webhooks.models import DeliveryState
from webhooks.outbox.topics import changed

logger = logging.getLogger(__name__)

BATCH = 200  # rows in one statement
WAITING = 5_000  # deliveries that may wait at once; beyond it the provider is asked to come again
# The provider is answered before it gives up, Kapso after ten seconds: also by a database that hangs.
KEEP_SECONDS = 6.0
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
    lane: str = ""  # of what it says, where that is one thing and seen at a glance: its order is the order of arrival

    def row(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "channel_id": self.channel_id,
            "workspace_id": self.workspace_id,
            "event_key": self.event_key,
            "event": self.event,
            "headers": self.headers,
            "failure": self.failure,
            "lane": self.lane,
        }


# Everything but the bodies goes as one JSON text, which costs the web process a fraction of an array for each column.
# Ids are drawn in the order of arrival, which is the order in the lanes; rows are written by key, so that two
# statements which share some meet them in the same order and don't deadlock.
_SQL = f"""
with given as materialized (
    select nextval('webhooks_delivery_id_seq') as id, arrived.* from rows from (
        json_to_recordset(%(rows)s::json) as (
            provider text, channel_id uuid, workspace_id uuid, event_key text, event text, headers jsonb, failure text,
            lane text
        ),
        unnest(%(bodies)b::bytea[])
    ) as arrived (provider, channel_id, workspace_id, event_key, event, headers, failure, lane, body)
), kept as (
    insert into webhooks_delivery
        (id, provider, channel_id, workspace_id, event_key, event, headers, body, received_at, state, outcome)
    select id, provider, channel_id, workspace_id, event_key, event, headers, body, now(),
        case failure when '' then '{DeliveryState.KEPT.value}' else '{DeliveryState.FAILED.value}' end,
        case failure when '' then '{{}}' else jsonb_build_object('reason', failure) end
    from given order by event_key, channel_id, provider
    on conflict do nothing
    returning id
)
{
    insert_from(
        f'''
        select 'delivery:' || id, '{UNPACK}', lane, workspace_id, jsonb_build_object('delivery_id', id),
            %(max_attempts)s::int, %(outgoing)s::bool, interval '0'
        from kept join given using (id) where failure = '' order by id
        '''
    )
}
"""  # noqa: S608  # every part is a constant of the code


def lane_seen(provider: str, channel_id: UUID | None, look: Callable[[], str]) -> str:
    """What `look` says; whatever it trips over, the delivery is kept, and reading it shows what it was."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001
        logger.warning(
            "lane not seen",
            extra={
                "action": "lane_not_seen",
                "provider": provider,
                "channel_id": str(channel_id),
                "reason": type(error).__name__,
            },
        )
        return ""


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
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await done
        except TimeoutError:  # it may still be written; then it is known already when it comes again
            raise Unavailable(retry_after=1) from None

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                try:
                    await self._write(batch)
                finally:
                    _refuse(batch)  # nobody waits for an answer that no longer comes
        finally:
            self._task = None

    async def _write(self, batch: list[tuple[Arrival, "asyncio.Future[None]"]]) -> None:
        try:
            await _insert([arrival for arrival, _ in batch])
        except (psycopg.Error, PoolTimeout, OSError, orjson.JSONEncodeError) as error:
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
        _refuse(batch)


def _refuse(batch: list[tuple[Arrival, "asyncio.Future[None]"]]) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(Unavailable(retry_after=1))


async def _insert(arrivals: Sequence[Arrival]) -> None:
    task = named(UNPACK)
    rows = orjson.dumps([arrival.row() for arrival in arrivals]).decode()
    pool = await hot_pool()
    async with pool.connection() as connection:
        await connection.execute(
            _SQL,
            {
                "rows": rows,
                "bodies": [arrival.body for arrival in arrivals],
                "max_attempts": task.max_attempts,
                "outgoing": task.outgoing,
            },
            prepare=True,
        )


_writers: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Writer]" = WeakKeyDictionary()
