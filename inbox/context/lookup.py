"""From what was asked to the statement's parameters, and from its one row to an answer. Runs nothing itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from django.conf import settings

from config.errors import Conflict, Forbidden, Invalid, NotFound
from crm.actors import Caller
from crm.api_keys import scopes_now
from crm.errors import InvalidPhone
from crm.identity.errors import KeyExpired, KeyRefused
from crm.phones import Phone, lookup_keys, needs_region, readings, variants
from crm.roles import Action
from inbox.access import actions_on
from inbox.context import statement

DEFAULT_LIMIT = 20
MOST = 100
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,60}")
LONGEST_QUERY = 2_000
# Regions whose reading is sent along while a workspace's own is not known yet.
MOST_REGIONS = 12
MOST_WORKSPACES = 10_000


class SeveralContacts(Conflict):
    code = "several_contacts"
    message = "More than one contact may be meant by this number."


# --- What was asked -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    slug: str
    phone: str
    with_context: bool
    limit: int = DEFAULT_LIMIT


def wanted(slug: str, what: str, query: str) -> Wanted:
    """`what` is by-phone or context; `query` as it stands in the address. Invalid names what is wrong in it."""
    if _SLUG.fullmatch(slug) is None:
        raise NotFound
    given = dict(parse_qsl(query[:LONGEST_QUERY], keep_blank_values=True))
    phone = given.get("phone", "")
    if not phone.strip():
        raise Invalid(errors={"phone": ["A telephone number is needed."]})
    return Wanted(slug.lower(), phone, what == "context", _limit(given.get("limit", "")))


def _limit(raw: str) -> int:
    if not raw:
        return DEFAULT_LIMIT
    if not raw.isascii() or not raw.isdigit() or len(raw) > 6 or not 1 <= int(raw) <= MOST:
        raise Invalid(errors={"limit": [f"A whole number from 1 to {MOST}."]})
    return int(raw)


class _Regions:
    """Which country's habits each workspace goes by, as the answers tell. Only a guess of what to send: the statement
    itself compares it with the workspace's row."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._seen: dict[str, None] = {"US": None}

    def guess(self, slug: str) -> list[str]:
        known = self._of.get(slug)
        return [known] if known is not None else list(self._seen)[-MOST_REGIONS:]

    def learn(self, slug: str, region: str) -> None:
        if self._of.get(slug) == region:
            return
        if len(self._of) >= MOST_WORKSPACES:
            self._of.clear()
        self._of[slug] = region
        self._seen.pop(region, None)
        self._seen[region] = None  # the latest is the last


regions = _Regions()


@dataclass(frozen=True, slots=True)
class Question:
    """The statement's text is chosen by who asks and what; these are its parameters."""

    wanted: Wanted
    is_plain: bool
    is_regional: bool
    regions: tuple[str, ...]
    params: Mapping[str, Any]
    first: Mapping[str, str]  # region to E.164 of the likeliest reading

    def text(self, *, by_key: bool) -> str:
        return statement.TEXTS[self.wanted.with_context, by_key, self.is_plain]

    def numbered(self, digest: bytes | None = None) -> tuple[bytes, list[Any]]:
        """For a raw cursor: the text with its parameters in order."""
        text, names = statement.NUMBERED[self.wanted.with_context, digest is not None, self.is_plain]
        return text, [digest if name == "digest" else self.params[name] for name in names]


def question(asked: Wanted) -> Question:
    """As plain as the number allows."""
    if needs_region(asked.phone):
        return thorough(asked, regions.guess(asked.slug))
    found = readings(asked.phone)
    if not found:
        raise _unreadable()
    phone = found[0].phone
    rows = _keys(phone, 0)
    if len(rows) > 1:
        return thorough(asked)
    params = {**_params(asked), "match": phone.match, "number": phone.e164}
    return Question(asked, True, False, (), params, {"": phone.e164})


def thorough(asked: Wanted, among: Sequence[str] = ()) -> Question:
    """Every reading and every form. `among`: the regions to read a number by that has no country's code."""
    rows: list[tuple[str, int, str, str]] = []
    first: dict[str, str] = {}
    for region in among or ("",):
        for reading in readings(asked.phone, region):
            first.setdefault(region, reading.phone.e164)
            rows += [(region, *row) for row in _keys(reading.phone, reading.rank)]
    names, ranks, matches, numbers = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [])
    params = {**_params(asked), "regions": names, "ranks": ranks, "matches": matches, "numbers": numbers}
    return Question(asked, False, bool(among), tuple(among), params, first)


def _params(asked: Wanted) -> dict[str, Any]:
    return {"slug": asked.slug, "limit": asked.limit, "user": None, "joined_at": None}


def _keys(phone: Phone, rank: int) -> list[tuple[int, str, str]]:
    """Doubled, so that a number read in a lesser way never ranks with another's look-up key."""
    own = [(2 * rank, phone.match, number) for number in variants(phone)]
    others = [(2 * rank + 1, match, "+" + match) for match in lookup_keys(phone)[1:]]
    return own + others


def _unreadable() -> InvalidPhone:
    return InvalidPhone(errors={"phone": ["This cannot be read as a telephone number."]})


# --- What came of it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    key_id: UUID | None
    rate_per_minute: int
    expired: bool
    scopes: list[str] | None
    role: str | None
    slug: str
    default_region: str
    contacts: list[UUID] | None
    channel_kind: str | None
    status: str | None
    window_open: bool | None
    body: str | None


def row_of(values: tuple[Any, ...] | None, *, by_key: bool) -> Row:
    """Nothing came back: no such key, or no such workspace."""
    if values is None:
        raise KeyRefused if by_key else NotFound
    row = Row(*values)
    if row.expired:
        raise KeyExpired
    return row


def check_key(row: Row, asked: Wanted) -> frozenset[Action]:
    """What the key may do here. The statement has decided the same, so nothing was read for one that may not."""
    if row.slug != asked.slug:
        raise NotFound
    may = scopes_now(row.scopes or (), row.role)
    if Action.READ_INBOX not in may:
        raise Forbidden
    return may


def check_legacy_workspace(asked: Wanted) -> None:
    """The old single key is good in one workspace; without one named, in none."""
    if asked.slug != settings.CRM_API_KEY_WORKSPACE.lower():
        raise NotFound


def again(of: Question, row: Row) -> Question | None:
    """What is left to ask, if anything: this process did not know by which country's habits the workspace writes
    numbers, or the plain way led to several contacts, or to one that is no longer there by itself."""
    regions.learn(row.slug, row.default_region)
    if of.is_regional and row.default_region not in of.regions:
        return thorough(of.wanted, [row.default_region])
    if of.is_plain and row.contacts and row.body is None:
        return thorough(of.wanted)
    return None


def answer(of: Question, row: Row, may: frozenset[Action]) -> bytes:
    """The finished JSON. Raises InvalidPhone, NotFound with the number as it was read, and SeveralContacts."""
    number = of.first.get(row.default_region if of.is_regional else "")
    if number is None:
        raise _unreadable()
    if not row.contacts:
        raise NotFound("No contact has this number.", phone_normalized=number)
    if row.body is None:
        raise SeveralContacts(phone_normalized=number, contacts=[str(contact) for contact in row.contacts])
    if not of.wanted.with_context:
        return row.body.encode()
    return row.body[:-1].encode() + b',"allowed_actions":' + orjson.dumps(_allowed(row, may)) + b"}"


def _allowed(row: Row, may: frozenset[Action]) -> list[str]:
    if row.channel_kind is None or row.status is None:
        return []
    return actions_on(may.__contains__, row.channel_kind, row.status, window_open=bool(row.window_open))


def may_of(caller: Caller) -> frozenset[Action]:
    return frozenset(filter(caller.may, Action))
