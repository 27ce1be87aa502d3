"""Writes beats by natural batching: whatever arrives while one statement runs goes into the next. Idle, a batch is one
beat; there is no timer to wait for. Every caller gets its answer after the commit."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from psycopg_pool import PoolTimeout

from config.errors import DomainError, Unavailable
from config.live import frames, log
from config.live.pool import Connection, hot_pool
from config.live.unit import Published
from proctoring import topics
from proctoring.beats import pulse
from proctoring.beats.beat import Beat
from proctoring.beats.statement import WRITE, Written, parameters, refusal, sessions_with_news
from proctoring.events import SessionUpdated
from proctoring.payloads.sessions import session_payload
from proctoring.rows import BY_IDS, SessionRow

logger = logging.getLogger(__name__)

BATCH = 500  # rows in one statement
WAITING = 20_000  # beats that may wait at once; beyond it clients are asked to come again
Done = asyncio.Future[Written]


async def write(beat: Beat) -> Written:
    """Returns once it is committed. Raises what the beat is refused with, or Unavailable."""
    loop = asyncio.get_running_loop()
    writer = _writers.get(loop)
    if writer is None:
        writer = _writers[loop] = _Writer()
    return await writer.write(beat)


@dataclass(slots=True)
class _Item:
    beat: Beat
    done: Done


class _Writer:
    """One a process and loop: a list of what waits, and a task while there is something to write."""

    def __init__(self) -> None:
        self._waiting: list[_Item] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, beat: Beat) -> Written:
        if len(self._waiting) >= WAITING:
            raise Unavailable(retry_after=1)
        done: Done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Item(beat, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = self._next()
                try:
                    await self._write(batch)
                finally:
                    _settle(batch, Unavailable(retry_after=1))  # nobody waits for an answer that no longer comes
        finally:
            self._task = None

    def _next(self) -> list[_Item]:
        """One beat of a session at most; a second one of the same moment waits for its turn, and is refused then."""
        batch: dict[UUID, _Item] = {}
        later: list[_Item] = []
        for place, item in enumerate(self._waiting):
            if len(batch) == BATCH:
                later += self._waiting[place:]
                break
            if item.beat.session_id in batch:
                later.append(item)
            else:
                batch[item.beat.session_id] = item
        self._waiting = later
        return list(batch.values())

    async def _write(self, batch: list[_Item]) -> None:
        beats = [item.beat for item in batch]
        try:
            found, told = await _commit(beats)
        except (psycopg.Error, PoolTimeout, OSError) as error:
            await self._write_singly(batch, error)
            return
        for published in told:
            published()
        by_place = {one.place: one for one in found}
        for place, item in enumerate(batch):
            written = by_place.get(place)
            refused = refusal(item.beat, written)
            if refused is None and written is not None:
                pulse.beaten(written.exam, item.beat.session_id, written.now)
                if not item.done.done():
                    item.done.set_result(written)
            else:
                _settle([item], refused or Unavailable())

    async def _write_singly(self, batch: list[_Item], error: Exception) -> None:
        """One bad row must harm nobody else."""
        if len(batch) > 1 and isinstance(error, psycopg.Error) and not isinstance(error, psycopg.OperationalError):
            for item in batch:
                await self._write([item])
            return
        logger.warning("beats not kept", extra={"action": "beats_not_kept", "reason": type(error).__name__})
        _settle(batch, Unavailable(retry_after=1))


def _settle(batch: Sequence[_Item], error: DomainError) -> None:
    for item in batch:
        if not item.done.done():
            item.done.set_exception(error)


async def _commit(beats: Sequence[Beat]) -> tuple[list[Written], list[Published]]:
    """The beats and the events of those that are news, in one transaction."""
    pool = await hot_pool()
    async with pool.connection() as connection, connection.transaction():
        cursor = await connection.execute(WRITE.encode(), parameters(beats), prepare=True)
        found = [Written._make(row) for row in await cursor.fetchall()]
        told = await _tell(connection, sessions_with_news(beats, found))
    return found, told


async def _tell(connection: Connection, ids: list[UUID]) -> list[Published]:
    if not ids:
        return []
    cursor = await connection.execute(BY_IDS.encode(), {"ids": ids}, prepare=True)
    told = events_of([SessionRow._make(row) for row in await cursor.fetchall()])
    cursor = await connection.execute(log.APPEND.encode(), log.append_parameters(told), prepare=True)
    return numbered(told, await cursor.fetchall())


def events_of(rows: Sequence[SessionRow]) -> list[Published]:
    """Sorted by topic, as the log numbers them."""
    return sorted((published for row in rows for published in _events(row)), key=lambda one: one.topic)


def _events(row: SessionRow) -> list[Published]:
    event = SessionUpdated(session_payload(row))
    data, heard = frames.encode(event.data()), (topics.exam(row.exam), topics.session(row.id))
    return [Published(topic=topic, type=event.type, version=event.version, data=data) for topic in heard]


def numbered(told: list[Published], entries: Sequence[Any]) -> list[Published]:
    for published, (_, seq, at) in zip(told, sorted(entries), strict=True):
        published.seq = seq
        published.frame = frames.event(published.topic, seq, published.type, published.version, at, published.data)
    return told


_writers: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Writer]" = WeakKeyDictionary()
