"""The two ways to the same knowledge, each direct on a connection and over HTTP. They read and change nothing."""

import http.client
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

import orjson
import psycopg
from django.db import connection

from crm.models import BillingAccount, Contact, ContactMemory, ContactNote, ContactProfile
from crm.profiles import profile_payload, state_payload
from inbox.context import lookup
from inbox.models import Conversation, Message
from inbox.states import Scope

HTTP_SECONDS = 30.0
MESSAGES = lookup.DEFAULT_LIMIT
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


@contextmanager
def planned_once() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("set plan_cache_mode = force_generic_plan")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("reset plan_cache_mode")


def timed(do: Callable[[], int | None], requests: int = 1) -> Timing:
    began = time.perf_counter()
    queries = do()
    return Timing(time.perf_counter() - began, queries, requests)


# --- Direct -----------------------------------------------------------------------------------------------------


def one_statement(place: Place, what: str) -> Way:
    """As the lean road asks, but for the key, which it looks up within."""

    def ask(phone: str) -> int:
        question = lookup.question(lookup.Wanted(place.slug, phone, what == "context"))
        row = lookup.row_of(_row(*question.numbered()), by_key=False)
        lookup.answer(question, row, frozenset())
        return 1

    return lambda phone: timed(lambda: ask(phone))


def four_queries(place: Place, what: str) -> Way:
    """Each from what the one before it found, and an answer built of them, as the old functions did."""

    def ask(phone: str) -> int:
        contact = Contact.objects.alive().get(workspace_id=place.workspace_id, phone_normalized=phone)
        known: dict[str, Any] = {"contact": contact.name, "phone": contact.phone_normalized, "tags": contact.tags}
        orjson.dumps(known | (_with_thread(contact) if what == "context" else _with_dossier(contact)))
        return 4

    return lambda phone: timed(lambda: ask(phone))


def _with_thread(contact: Contact) -> dict[str, Any]:
    talks = Conversation.objects.filter(contact=contact, scope=Scope.SUPPORT, deleted_at=None, merged_into=None)
    latest = talks.order_by("-last_activity_at").first()
    messages = Message.objects.filter(conversation=latest, deleted_at=None).order_by("-id")[:MESSAGES]
    notes = ContactNote.objects.filter(contact=contact, deleted_at=None).order_by("-id")[:MESSAGES]
    return {
        "conversation": None if latest is None else {"id": latest.pk, "status": latest.status},
        "messages": [{"id": m.pk, "direction": m.direction, "body": m.body, "at": m.created_at} for m in messages],
        "notes": [{"id": note.pk, "body": note.body, "at": note.created_at} for note in notes],
    }


def _with_dossier(contact: Contact) -> dict[str, Any]:
    profile = ContactProfile.objects.filter(contact=contact).first()
    memory = ContactMemory.objects.filter(contact=contact).first()
    account = BillingAccount.objects.filter(contact=contact).first()
    return {
        "profile": profile_payload(profile) if profile else None,
        "state": state_payload(memory) if memory else None,
        "billing": account.status if account else None,
    }


def _row(text: bytes, params: list[Any]) -> tuple[Any, ...] | None:
    """Prepared and planned once, as on the lean road's connections."""
    connection.ensure_connection()
    return psycopg.RawCursor(connection.connection).execute(text, params, prepare=True).fetchone()


# --- Over HTTP --------------------------------------------------------------------------------------------------


class Caller:
    """A machine with a key and one connection that stays open."""

    def __init__(self, url: str, key: str, host: str = "") -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=HTTP_SECONDS)
        given = {"Accept": "application/json", "Authorization": f"Bearer {key}" if key else "", "Host": host}
        self._headers = {name: value for name, value in given.items() if value}

    def answers(self) -> bool:
        """Whether anybody serves there."""
        try:
            self._connection.request("GET", "/healthz", headers=self._headers)
            self._connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        return True

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
