"""…/contacts/by-phone and …/contacts/context for machines: the lean road. No ORM, no thread, no middleware.

It takes requests that carry an API key, the old single CRM_API_KEY among them, and leaves everybody else to Django,
whose view (api.py) runs the same statement.
"""

import re
import time
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from config.errors import Unavailable
from config.hot import Answer, Request, Road, Scope, road
from config.live.pool import hot_pool
from config.live.threads import run_sync
from crm import api_keys
from crm.identity import key_pace, last_use
from crm.identity.errors import KeyRefused
from crm.identity.machines import is_legacy_key
from crm.roles import Action
from inbox.context import lookup
from inbox.context.lookup import Question, Row, Wanted

PREFIX = "/api/v1/workspaces/"
_ENDS = ("/contacts/by-phone", "/contacts/context")
_BEARER = re.compile(r"bearer(?: +(.*))?", re.IGNORECASE)
_PRIVATE = (("Cache-Control", "private, no-store"), ("Vary", "Authorization, X-API-Key"))
_ONLY_READING = frozenset({Action.READ_INBOX})


def takes(scope: Scope) -> bool:
    """Asked of every request that is not a webhook's, so the cheap questions come first."""
    path: str = scope["path"]
    return (
        path.endswith(_ENDS)
        and path.startswith(PREFIX)
        and scope["method"] == "GET"
        and _key_in(scope["headers"]) is not None
    )


def _key_in(headers: Any) -> str | None:
    """A bearer of a key's form, else what X-API-Key says. A bearer of another form is a person's, unless it is the old
    key."""
    said = ""
    for name, value in headers:
        if name == b"authorization":
            bearer = _BEARER.fullmatch(value.decode("latin-1").strip())
            if bearer:
                token = bearer[1] or ""
                return token if token.startswith(api_keys.PREFIX) or is_legacy_key(token) else None
        elif name == b"x-api-key":
            said = value.decode("latin-1").strip()
    return said or None


async def _handle(request: Request, rest: str) -> Answer:
    slug, _, what = rest.partition("/contacts/")
    key = _key_in(request.scope["headers"]) or ""
    if is_legacy_key(key):
        body = await _by_legacy_key(request, slug, what)
    elif api_keys.is_key(key):
        body = await _by_key(request, slug, what, api_keys.digest_of(key))
    else:
        raise KeyRefused
    return Answer(200, body, headers=_PRIVATE)


async def _by_key(request: Request, slug: str, what: str, digest: bytes) -> bytes:
    asked = _wanted(request, slug, what)
    question, row = await _ask(request, lookup.question(asked), digest)
    if row.key_id is None:
        raise KeyRefused
    if not key_pace.take_held(row.key_id):  # Redis is asked once in many requests, and not in this loop
        await run_sync(key_pace.take, row.key_id, row.rate_per_minute)
    last_use.note(row.key_id)
    return lookup.answer(question, row, lookup.check_key(row, asked))


async def _by_legacy_key(request: Request, slug: str, what: str) -> bytes:
    asked = _wanted(request, slug, what)
    lookup.check_legacy_workspace(asked)
    question, row = await _ask(request, lookup.question(asked), None)
    return lookup.answer(question, row, _ONLY_READING)


def _wanted(request: Request, slug: str, what: str) -> Wanted:
    return lookup.wanted(slug, what, request.scope["query_string"].decode("latin-1"))


async def _ask(request: Request, question: Question, digest: bytes | None) -> tuple[Question, Row]:
    """One statement; the rare second one is `lookup.again`'s."""
    row = lookup.row_of(await _run(request, question, digest), by_key=digest is not None)
    again = lookup.again(question, row)
    if again is not None:
        question = again
        row = lookup.row_of(await _run(request, question, digest), by_key=digest is not None)
    return question, row


async def _run(request: Request, question: Question, digest: bytes | None) -> tuple[Any, ...] | None:
    text, params = question.numbered(digest)
    try:
        pool = await hot_pool()
        began = time.perf_counter()
        async with pool.connection() as connection:
            cursor = await psycopg.AsyncRawCursor(connection).execute(text, params)
            row = await cursor.fetchone()
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError):
        raise Unavailable(retry_after=1) from None
    request.count_query(time.perf_counter() - began)
    return row


context: Road = road(PREFIX, _handle)
