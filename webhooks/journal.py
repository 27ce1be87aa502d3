"""Keeps deliveries before they are acknowledged: the journal row and the job that acts on it, in one statement.

Natural batching: whatever arrives while one statement runs goes into the next. Idle, a batch is one delivery; there
is no timer to wait for. Every caller gets its answer after the commit.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import psycopg
from psycopg_pool import PoolTimeout

from config.errors import Unavailable
from config.live.pool import hot_pool
from jobs.queue import NewJob, awake, insert_from
from jobs.tasks import named
from webhooks.models import Delivery, DeliveryState
from webhooks.outbox.topics import changed
from webhooks.services.deliveries import only_job

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


# The arrays go in binary (%b): as text, psycopg would escape every quote of every body. The jobs are numbered in the
# order of arrival, which is the order of their lanes.
_SQL = f"""
with given as (
    select * from unnest(
        %(places)b::int[], %(providers)b::text[], %(channels)b::uuid[], %(workspaces)b::uuid[], %(keys)b::text[],
        %(events)b::text[], %(headers)b::text[], %(bodies)b::bytea[], %(states)b::text[], %(outcomes)b::text[],
        %(job_keys)b::text[], %(job_types)b::text[], %(job_lanes)b::text[], %(job_payloads)b::text[],
        %(job_attempts)b::int[], %(job_outgoing)b::bool[]
    ) as given (
        place, provider, channel_id, workspace_id, event_key, event, headers, body, state, outcome, job_key, job_type,
        job_lane, job_payload, job_attempts, job_outgoing
    )
), kept as (
    insert into webhooks_delivery
        (provider, channel_id, workspace_id, event_key, event, headers, body, received_at, state, outcome)
    select provider, channel_id, workspace_id, event_key, event, headers::jsonb, body, now(), state, outcome::jsonb
    from given
    on conflict do nothing
    returning id, provider, channel_id, event_key
)
{
    insert_from(
        '''
        select coalesce(nullif(job_key, ''), 'delivery:' || kept.id), job_type, job_lane, workspace_id,
            job_payload::jsonb || jsonb_build_object('delivery_id', kept.id), job_attempts, job_outgoing, interval '0'
        from kept join given on given.provider = kept.provider and given.event_key = kept.event_key
            and given.channel_id is not distinct from kept.channel_id
        where given.job_type <> '' order by given.place
        '''
    )
}
"""  # noqa: S608  # every part is a constant of the code


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as it is kept, and what is to be done with it: its one item at once, or else the unpacking."""

    arrival: Arrival
    state: DeliveryState
    outcome: Mapping[str, Any]
    job: NewJob | None

    @classmethod
    def of(cls, arrival: Arrival) -> "Row":
        if arrival.failure:
            return cls(arrival, DeliveryState.FAILED, {"reason": arrival.failure}, None)
        item = _only_job(arrival)
        if item:
            return cls(arrival, DeliveryState.APPLIED, {"items": [item.key], "unhandled": []}, item)
        return cls(arrival, DeliveryState.KEPT, {}, NewJob(UNPACK, "", "", {}, arrival.workspace_id))


def _only_job(arrival: Arrival) -> NewJob | None:
    delivery = Delivery(
        provider=arrival.provider,
        channel_id=arrival.channel_id,
        workspace_id=arrival.workspace_id,
        event_key=arrival.event_key,
        event=arrival.event,
        headers=arrival.headers,
        body=arrival.body,
        received_at=datetime.now(UTC),
    )
    try:
        return only_job(delivery)
    except Exception:  # noqa: BLE001  # whatever reading trips over, the delivery is kept: unpacking shows what it was
        return None


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
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def keep(self, arrival: Arrival) -> None:
        if len(self._waiting) >= WAITING:
            raise Unavailable(retry_after=1)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((Row.of(arrival), done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await done

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

    async def _write(self, batch: list[tuple[Row, "asyncio.Future[None]"]]) -> None:
        try:
            await _insert([row for row, _ in batch])
        except (psycopg.Error, PoolTimeout, OSError) as error:
            await self._write_singly(batch, error)
        else:
            await awake()
            for workspace_id in {row.arrival.workspace_id for row, _ in batch}:
                changed(workspace_id)
            for _, done in batch:
                if not done.done():
                    done.set_result(None)

    async def _write_singly(self, batch: list[tuple[Row, "asyncio.Future[None]"]], error: Exception) -> None:
        """One bad row must harm nobody else."""
        if len(batch) > 1:
            for item in batch:
                await self._write([item])
            return
        logger.warning("delivery not kept", extra={"action": "delivery_not_kept", "reason": type(error).__name__})
        _refuse(batch)


def _refuse(batch: list[tuple[Row, "asyncio.Future[None]"]]) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(Unavailable(retry_after=1))


async def _insert(rows: Sequence[Row]) -> None:
    # One order in every process: no deadlock
    placed = sorted(enumerate(rows), key=lambda placed: placed[1].arrival.sort_key)
    arrivals = [row.arrival for _, row in placed]
    jobs = [row.job for _, row in placed]
    tasks = [named(job.type) if job else None for job in jobs]
    pool = await hot_pool()
    async with pool.connection() as connection:
        await connection.execute(
            _SQL,
            {
                "places": [place for place, _ in placed],
                "providers": [arrival.provider for arrival in arrivals],
                "channels": [arrival.channel_id for arrival in arrivals],
                "workspaces": [arrival.workspace_id for arrival in arrivals],
                "keys": [arrival.event_key for arrival in arrivals],
                "events": [arrival.event for arrival in arrivals],
                "headers": [orjson.dumps(arrival.headers).decode() for arrival in arrivals],
                "bodies": [arrival.body for arrival in arrivals],
                "states": [row.state.value for _, row in placed],
                "outcomes": [orjson.dumps(row.outcome).decode() for _, row in placed],
                "job_keys": [job.key if job else "" for job in jobs],
                "job_types": [job.type if job else "" for job in jobs],
                "job_lanes": [job.lane if job else "" for job in jobs],
                "job_payloads": [orjson.dumps(job.payload).decode() if job else "{}" for job in jobs],
                "job_attempts": [task.max_attempts if task else 1 for task in tasks],
                "job_outgoing": [bool(task and task.outgoing) for task in tasks],
            },
            prepare=True,
        )


_writers: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Writer]" = WeakKeyDictionary()
