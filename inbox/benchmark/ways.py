"""The two ways to the same knowledge, each direct on a connection and over HTTP. They read and change nothing."""

import http.client
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from django.db import connection

from inbox.context import lookup

HTTP_SECONDS = 30.0
_QUERIES = re.compile(r'desc="(\d+) queries"')


@dataclass(frozen=True, slots=True)
class Place:
    workspace_id: UUID
    slug: str


@dataclass(frozen=True, slots=True)
class Timing:
    seconds: float
    queries: int | None  # None where the server does not tell
    requests: int = 1


class Way(Protocol):
    def __call__(self, phone: str) -> Timing: ...


def timed(do: Callable[[], int | None], requests: int = 1) -> Timing:
    began = time.perf_counter()
    queries = do()
    return Timing(time.perf_counter() - began, queries, requests)


# --- Direct -----------------------------------------------------------------------------------------------------


def one_statement(place: Place, what: str) -> Way:
    """As the lean road asks, but for the key, which it looks up within."""

    def ask(phone: str) -> int:
        question = lookup.question(lookup.Wanted(place.slug, phone, what == "context"))
        row = lookup.row_of(_rows(question.text(by_key=False), question.params)[0], by_key=False)
        lookup.answer(question, row, frozenset())
        return 1

    return lambda phone: timed(lambda: ask(phone))


# Each from what the one before it found, as the old functions did.
_CONTACT = """
select * from crm_contact
where workspace_id = %(workspace)s and phone_normalized = %(phone)s and phone_normalized <> '' and deleted_at is null
"""
_CONVERSATION = """
select * from inbox_conversation
where contact_id = %(contact)s and scope = 'support' and deleted_at is null and merged_into_id is null
order by last_activity_at desc limit 1
"""
_MESSAGES = """
select * from inbox_message where conversation_id = %(conversation)s and deleted_at is null order by id desc limit 20
"""
_NOTES = "select * from crm_contactnote where contact_id = %(contact)s and deleted_at is null order by id desc limit 20"
_PROFILE = "select * from crm_contactprofile where contact_id = %(contact)s"
_STATE = "select * from crm_contactmemory where contact_id = %(contact)s"
_BILLING = "select * from crm_billingaccount where contact_id = %(contact)s"


def four_queries(place: Place, what: str) -> Way:
    def ask(phone: str) -> int:
        contact = _rows(_CONTACT, {"workspace": place.workspace_id, "phone": phone})[0][0]
        if what == "context":
            talks = _rows(_CONVERSATION, {"contact": contact})
            _rows(_MESSAGES, {"conversation": talks[0][0] if talks else None})
            _rows(_NOTES, {"contact": contact})
        else:
            for statement in (_PROFILE, _STATE, _BILLING):
                _rows(statement, {"contact": contact})
        return 4

    return lambda phone: timed(lambda: ask(phone))


def _rows(statement: str, params: Any) -> list[tuple[Any, ...]]:
    """Prepared, both ways alike, as on a server that has been up for a while."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        cursor.execute(statement, params, prepare=True)
        return list(cursor.fetchall())


# --- Over HTTP --------------------------------------------------------------------------------------------------


class Caller:
    """A machine with a key and one connection that stays open."""

    def __init__(self, url: str, key: str, host: str = "") -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=HTTP_SECONDS)
        self._headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"} | (
            {"Host": host} if host else {}
        )

    def get(self, path: str) -> tuple[Any, int | None]:
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        if response.status != http.client.OK:
            raise ConnectionError(f"{path.partition('?')[0]} answered {response.status}")
        told = _QUERIES.search(response.headers.get("Server-Timing", ""))
        return json.loads(body), int(told[1]) if told else None

    def close(self) -> None:
        self._connection.close()


def one_request(caller: Caller, place: Place, what: str) -> Way:
    base = f"/api/v1/workspaces/{quote(place.slug)}/contacts/{what}"

    def ask(phone: str) -> int | None:
        return caller.get(f"{base}?{urlencode({'phone': phone})}")[1]

    return lambda phone: timed(lambda: ask(phone))


def four_requests(caller: Caller, place: Place, what: str) -> Way:
    """What a client does that has no context to ask for."""
    base = f"/api/v1/workspaces/{quote(place.slug)}"

    def ask(phone: str) -> int | None:
        contact, first = caller.get(f"{base}/contacts/by-phone?{urlencode({'phone': phone})}")
        told = [first]
        if what == "context":
            talks, queries = caller.get(f"{base}/conversations/?contact={contact['id']}&limit=1")
            told.append(queries)
            threads = [f"{base}/conversations/{talk['id']}/messages/?limit=20" for talk in talks["results"]]
            told += [caller.get(thread)[1] for thread in threads]
            told.append(caller.get(f"{base}/contacts/{contact['id']}/notes/?limit=20")[1])
        else:
            told += [
                caller.get(f"{base}/contacts/{contact['id']}/{part}")[1] for part in ("profile", "state", "billing")
            ]
        return sum(count for count in told if count is not None) if None not in told else None

    return lambda phone: timed(lambda: ask(phone), requests=4)
