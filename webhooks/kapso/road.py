"""/webhooks/kapso/<channel>: the lean road in. No ORM, no thread, no middleware; the rules are those of every road.

Checked in the contract's order: size, channel, signature, form of the body. Then kept, then answered.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson
import psycopg
from psycopg_pool import PoolTimeout

from config.errors import Invalid, NotFound, NotSignedIn, Unavailable
from config.hot import Answer, Request, road
from config.live.pool import hot_pool
from crm.encryption import decrypt
from webhooks.journal import Arrival, keep
from webhooks.kapso.payload import Unreadable, event_key, load_object
from webhooks.kapso.signature import challenge, is_genuine

PREFIX = "/webhooks/kapso/"
MOST = 4 * 1024 * 1024
FRESH = 10.0  # seconds that a decrypted secret is kept
CACHED = 1_000  # channels, known or not
KEPT_HEADERS = (
    "x-webhook-event",
    "x-idempotency-key",
    "x-webhook-payload-version",
    "x-webhook-batch",
    "x-batch-size",
    "content-type",
    "user-agent",
)
_CHANNEL = (
    "select id, workspace_id, credentials from inbox_channel where lower(slug) = %s and kind = 'kapso' and is_active"
)
OK = Answer(200, b'{"received":true}')


class BadSignature(NotSignedIn):
    code = "bad_signature"
    message = "The signature is missing or wrong."


class UnreadableBody(Invalid):
    code = "unreadable"


@dataclass(frozen=True, slots=True)
class Source:
    channel_id: UUID
    workspace_id: UUID
    secrets: tuple[str, ...]
    verify_tokens: tuple[str, ...]


_sources: "OrderedDict[str, tuple[float, Source | None]]" = OrderedDict()


async def _source(slug: str) -> Source:
    now = time.monotonic()
    fresh_until, source = _sources.get(slug, (0.0, None))
    if fresh_until < now:
        source = await _load(slug)
        _sources[slug] = (now + FRESH, source)
        _sources.move_to_end(slug)
        if len(_sources) > CACHED:
            _sources.popitem(last=False)
    if source is None:
        raise NotFound
    return source


async def _load(slug: str) -> Source | None:
    try:
        pool = await hot_pool()
        async with pool.connection() as connection:
            cursor = await connection.execute(_CHANNEL, [slug])
            row = await cursor.fetchone()
    except (psycopg.Error, PoolTimeout, OSError):
        raise Unavailable(retry_after=1) from None
    if row is None:
        return None
    secrets = orjson.loads(decrypt(row[2])) if row[2] else {}
    return Source(
        channel_id=row[0],
        workspace_id=row[1],
        secrets=(*secrets.get("webhook_secrets", []), *secrets.get("app_secrets", [])),
        verify_tokens=tuple(secrets.get("verify_tokens", [])),
    )


async def _handle(request: Request, rest: str) -> Answer:
    slug = rest.lower()
    if request.method == "GET":
        return await _challenge(request, slug)
    if request.method != "POST":
        return Answer(405, headers=(("Allow", "GET, POST"),))
    request.check_size(MOST)
    body = await request.body(MOST)
    source = await _source(_checked(slug))
    headers = request.headers
    if not is_genuine(
        kapso=headers.get("x-webhook-signature"),
        meta=headers.get("x-hub-signature-256"),
        body=body,
        secrets=source.secrets,
    ):
        raise BadSignature
    try:
        load_object(body)
    except Unreadable as error:
        # The signature was right, so the provider did send this: people must be able to see it.
        await keep(_arrival(source, headers, body, failure=str(error)))
        raise UnreadableBody(str(error)) from None
    await keep(_arrival(source, headers, body))
    return OK


def _arrival(source: Source, headers: Mapping[str, str], body: bytes, failure: str = "") -> Arrival:
    return Arrival(
        provider="kapso",
        channel_id=source.channel_id,
        workspace_id=source.workspace_id,
        event_key=event_key(headers.get("x-idempotency-key", ""), body),
        event=_printable(headers.get("x-webhook-event", ""))[:80],
        headers={name: _printable(headers[name])[:300] for name in KEPT_HEADERS if name in headers},
        body=body,
        failure=failure,
    )


def _checked(slug: str) -> str:
    if not slug or len(slug) > 60 or "/" in slug or "\x00" in slug:
        raise NotFound
    return slug


def _printable(value: str) -> str:
    return value.replace("\x00", "")


async def _challenge(request: Request, slug: str) -> Answer:
    source = await _source(_checked(slug))
    answer = challenge(request.query, source.verify_tokens)
    if answer is None:
        raise BadSignature("The verify token is not this channel's.")
    return Answer(200, answer.encode(), "text/plain; charset=utf-8")


kapso = road(PREFIX, _handle)
