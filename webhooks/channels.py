"""What the roads of channels share: which channel is meant, with its secrets; which headers are kept. No ORM here."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg_pool import PoolTimeout

from config.errors import NotFound, Unavailable
from config.hot import Request
from config.live.pool import hot_pool
from crm.encryption import decrypt

T = TypeVar("T")
ASK_SECONDS = 3.0  # with what keeping may take, less than the shortest patience of a provider
FRESH = 10.0  # seconds that decrypted secrets are kept
CACHED = 1_000  # channels, known or not
SLUG_LIMIT = 60
HEADER_LIMIT = 300
_CHANNEL = "select id, workspace_id, credentials from inbox_channel where lower(slug) = %s and kind = %s and is_active"


@dataclass(frozen=True, slots=True)
class Source:
    """A channel as its road needs it."""

    channel_id: UUID
    workspace_id: UUID
    credentials: Mapping[str, Any] = field(repr=False)

    def secrets(self, *names: str) -> tuple[str, ...]:
        """All strings under these names, in their order; a single one may stand without its list."""
        found: list[str] = []
        for name in names:
            value = self.credentials.get(name)
            members = value if isinstance(value, list) else [value]
            found += [member for member in members if isinstance(member, str) and member]
        return tuple(found)


_sources: "OrderedDict[tuple[str, str], tuple[float, Source | None]]" = OrderedDict()


async def admit(request: Request, slug: str, *, kind: str, most: int) -> tuple[Source, bytes]:
    """The contract's order: the size, by what is announced before a byte is read; then the channel."""
    request.check_size(most)
    body = await request.body(most)
    return await source_of(kind, slug), body


async def source_of(kind: str, slug: str) -> Source:
    """The active channel of that kind and name, whatever the case of the name. Raises NotFound."""
    key = (kind, slug.lower())
    if not slug or len(slug) > SLUG_LIMIT or "/" in slug or "\x00" in slug:
        raise NotFound
    now = time.monotonic()
    fresh_until, source = _sources.get(key, (0.0, None))
    if fresh_until < now:
        source = await in_time(_load(*key))
        _sources[key] = (now + FRESH, source)
        _sources.move_to_end(key)
        if len(_sources) > CACHED:
            _sources.popitem(last=False)
    if source is None:
        raise NotFound
    return source


async def in_time(asked: Coroutine[Any, Any, T]) -> T:
    """What was asked of the database, or Unavailable. A statement that hangs cannot be called back: it is left to end
    by itself."""
    task = asyncio.create_task(asked)
    await asyncio.wait({task}, timeout=ASK_SECONDS)
    if not task.done():
        task.add_done_callback(lambda late: late.exception())  # seen, and of no use any more
        raise Unavailable(retry_after=1)
    return task.result()


async def _load(kind: str, slug: str) -> Source | None:
    try:
        pool = await hot_pool()
        async with pool.connection() as connection:
            cursor = await connection.execute(_CHANNEL, [slug, kind])
            row = await cursor.fetchone()
    except (psycopg.Error, PoolTimeout, OSError):
        raise Unavailable(retry_after=1) from None
    if row is None:
        return None
    return Source(row[0], row[1], orjson.loads(decrypt(row[2])) if row[2] else {})


def kept_headers(headers: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Only those named: a list of what may be kept forgets no secret."""
    return {name: printable(headers[name])[:HEADER_LIMIT] for name in names if name in headers}


def printable(value: str) -> str:
    return value.replace("\x00", "")
