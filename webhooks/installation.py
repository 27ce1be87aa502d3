"""What the roads without a channel share: one address and one set of secrets for the installation. No ORM here."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from config.errors import NotFound, Unavailable
from config.hot import Answer, Request
from config.live.pool import hot_pool
from webhooks.bodies import Unreadable
from webhooks.channels import in_time, kept_headers
from webhooks.errors import UnreadableBody
from webhooks.journal import Arrival, keep

MOST = 1024 * 1024
FRESH = 10.0  # seconds that a workspace's id is kept
KEPT_HEADERS = ("svix-id", "webhook-id", "svix-timestamp", "webhook-timestamp", "content-type", "user-agent")
OK = Answer(200, b'{"received":true}')
_WORKSPACE = "select id from crm_workspace where slug = %s"


@dataclass(frozen=True, slots=True)
class Told:
    """What a road reads of a body before it is kept."""

    event_key: str
    event: str
    lane: str = ""


_workspaces: dict[str, tuple[float, UUID | None]] = {}


async def workspace_id(slug: str) -> UUID | None:
    """By its slug from the settings; None while there is no such workspace."""
    now = time.monotonic()
    fresh_until, found = _workspaces.get(slug, (0.0, None))
    if fresh_until < now:
        row = await fetch(_WORKSPACE, [slug.lower()]) if slug else None
        found = row[0] if row else None
        _workspaces[slug] = (now + FRESH, found)
    return found


async def fetch(statement: str, parameters: list[object]) -> tuple[UUID, ...] | None:
    return await in_time(_fetch(statement, parameters))


async def _fetch(statement: str, parameters: list[object]) -> tuple[UUID, ...] | None:
    try:
        pool = await hot_pool()
        async with pool.connection() as connection:
            cursor = await connection.execute(statement.encode(), parameters)
            return await cursor.fetchone()
    except (psycopg.Error, PoolTimeout, OSError):
        raise Unavailable(retry_after=1) from None


async def body_of(request: Request, rest: str) -> bytes:
    if rest not in ("", "/"):
        raise NotFound
    request.check_size(MOST)
    return await request.body(MOST)


async def receive(
    provider: str, slug: str, headers: Mapping[str, str], body: bytes, read: Callable[[bytes], Told]
) -> Answer:
    """After the signature. What cannot be read is kept for people to see, and then refused."""
    workspace = await workspace_id(slug)
    try:
        told = read(body)
    except Unreadable as error:
        await keep_refused(provider, workspace, headers, body, str(error))
        raise UnreadableBody(str(error)) from None
    await keep(arrival(provider, workspace, told, headers, body))
    return OK


async def keep_refused(
    provider: str, workspace: UUID | None, headers: Mapping[str, str], body: bytes, reason: str
) -> None:
    """Under a key of its own: the sender may come again with the same id, and then it may be right."""
    told = Told(f"refused:{hashlib.sha256(body).hexdigest()}", "")
    await keep(arrival(provider, workspace, told, headers, body, reason))


def arrival(
    provider: str, workspace: UUID | None, told: Told, headers: Mapping[str, str], body: bytes, failure: str = ""
) -> Arrival:
    return Arrival(
        provider=provider,
        channel_id=None,
        workspace_id=workspace,
        event_key=told.event_key,
        event=told.event,
        headers=kept_headers(headers, KEPT_HEADERS),
        body=body,
        failure=failure,
        lane=told.lane,
    )
