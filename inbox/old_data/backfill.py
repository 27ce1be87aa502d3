"""The old wide contact rows into profile, memory and billing account: tables of their own here. As often as wanted.

What was written here after the old row's last word stays; where something is empty here, the old row fills it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from crm.ids import uuid7
from inbox.old_data import values
from inbox.old_data.fields import SPLIT
from inbox.old_data.mapping import Mapped
from inbox.old_data.progress import Watcher
from inbox.old_data.report import Report, Tally
from inbox.old_data.scope import Given, Scope
from inbox.old_data.sources import UNREADABLE, Source, SourceError
from inbox.old_data.staging import fetch

LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)  # of a row that does not say when it was changed
ZONE, ZONES = 60, 50  # characters, and how many
MOST = 2**31 - 1

# Column, its type, and what counts as empty
PROFILE = (
    ("first_name", "text", "''"),
    ("relationship", "text", "''"),
    ("zip_code", "text", "''"),
    ("journey_phase", "text", "''"),
    ("burnout_score", "numeric", "null"),
    ("burnout_band", "text", "''"),
    ("pressure_zones", "jsonb", "'{}'"),
    ("last_contact_at", "timestamptz", "null"),
    ("assessment", "jsonb", "'{}'"),
)
MEMORY = (
    ("recent_messages", "jsonb", "'[]'"),
    ("historical_summary", "text", "''"),
    ("conversation_started_at", "timestamptz", "null"),
    ("total_interactions", "int", "0"),
    ("last_message_at", "timestamptz", "null"),
)
_CONTACTS = """
    select c.supabase_id, coalesce(c2.id, c1.id, c.id), c.workspace_id from crm_contact c
    left join crm_contact c1 on c1.id = c.merged_into_id
    left join crm_contact c2 on c2.id = c1.merged_into_id
    where c.supabase_id = any(%(ids)s)
"""
_BILLING = """
    insert into crm_billingaccount as t (id, workspace_id, contact_id, is_workspace, stripe_customer_id,
        stripe_subscription_id, status, price_id, canceled_at, trial_ends_at, period_end, created_at, updated_at)
    select id, workspace_id, contact_id, false, customer, subscription, status, price, canceled_at, trial_ends_at,
        period_end, at, at
    from jsonb_to_recordset(%(rows)s::jsonb) as r(id uuid, workspace_id uuid, contact_id uuid, customer text,
        subscription text, status text, price text, canceled_at timestamptz, trial_ends_at timestamptz,
        period_end timestamptz, at timestamptz)
    on conflict (workspace_id, stripe_customer_id) do update set
        contact_id = case when t.is_workspace then excluded.contact_id else t.contact_id end, is_workspace = false,
        stripe_subscription_id = excluded.stripe_subscription_id, status = excluded.status,
        price_id = excluded.price_id, canceled_at = excluded.canceled_at, trial_ends_at = excluded.trial_ends_at,
        period_end = excluded.period_end, updated_at = excluded.updated_at
    -- Once Stripe itself has told of it, or named its owner, the old row says nothing any more.
    where t.subscription_event_at is null and t.owner_event_at is null
      and (t.is_workspace or t.contact_id = excluded.contact_id)
      and (t.is_workspace, t.stripe_subscription_id, t.status, t.price_id, t.canceled_at, t.trial_ends_at, t.period_end)
        is distinct from (false, excluded.stripe_subscription_id, excluded.status, excluded.price_id,
            excluded.canceled_at, excluded.trial_ends_at, excluded.period_end)
    returning t.stripe_customer_id, t.xmax = 0
"""


@dataclass(frozen=True, slots=True)
class Split:
    """A table that gets one row per contact."""

    table: str
    columns: Sequence[tuple[str, str, str]]

    def write(self, rows: list[dict[str, Any]]) -> tuple[int, int]:
        """How many were made, and how many changed."""
        if not rows:
            return 0, 0
        with connection.cursor() as cursor:
            cursor.execute(self._sql(), {"rows": orjson.dumps(rows).decode()})
            made = [is_new for (is_new,) in cursor.fetchall()]
        return sum(made), len(made) - sum(made)

    def _sql(self) -> str:
        names = [name for name, _, _ in self.columns]
        kinds = ", ".join(f"{name} {kind}" for name, kind, _ in self.columns)
        picked = ", ".join(map(_picked, names))
        written = ", ".join(_written(name, empty) for name, _, empty in self.columns)
        result = ", ".join(_settled(name, empty) for name, _, empty in self.columns)
        return f"""
            insert into {self.table} as t (contact_id, workspace_id, {", ".join(names)}, updated_at)
            select contact_id, workspace_id, {picked}, at
            from jsonb_to_recordset(%(rows)s::jsonb) as r(contact_id uuid, workspace_id uuid, at timestamptz, {kinds})
            on conflict (contact_id) do update set {written}, updated_at = greatest(t.updated_at, excluded.updated_at)
            where ({", ".join(f"t.{name}" for name in names)}) is distinct from ({result})
            returning t.xmax = 0
        """  # noqa: S608  # names of our own


def _picked(name: str) -> str:
    return f"array(select jsonb_array_elements_text({name}))" if name == "pressure_zones" else name


def _settled(name: str, empty: str) -> str:
    """The newer word, unless it says nothing."""
    mine = f"coalesce(nullif(t.{name}, {empty}), excluded.{name})"
    theirs = f"coalesce(nullif(excluded.{name}, {empty}), t.{name})"
    return f"case when t.updated_at <= excluded.updated_at then {theirs} else {mine} end"


def _written(name: str, empty: str) -> str:
    return f"{name} = {_settled(name, empty)}"


class Backfill:
    def __init__(self, source: Source, mapped: Mapped, report: Report, watcher: Watcher, *, dry: bool, batch: int):
        self._source, self._mapped, self._report, self._watcher = source, mapped, report, watcher
        self._scope = Scope(mapped)
        self._dry, self._size = dry, batch
        self._profiles = Split("crm_contactprofile", PROFILE)
        self._memories = Split("crm_contactmemory", MEMORY)

    def run(self) -> None:
        table = self._mapped.tables[SPLIT]
        if not self._source.has(table):
            raise SourceError(f"There is no {' or '.join(table.tables)} to read the wide rows from.")
        self._source.check(table)
        self._watcher.begin("contacts", self._source.count(table, None))
        for name in ("rows", "profiles", "memories", "billing accounts"):
            self._report.add(name, Tally())
        rows = iter(self._source.rows(table, None))
        while batch := list(islice(rows, self._size)):
            with transaction.atomic():
                tallies = self._batch(batch)
                transaction.set_rollback(self._dry)
            for name, tally in tallies.items():
                self._report.add(name, tally)
            self._watcher.advance(len(batch))

    def _batch(self, rows: list[dict[str, Any]]) -> dict[str, Tally]:
        tally = Tally()
        whose = self._whose(rows)
        profiles: dict[UUID, dict[str, Any]] = {}
        memories: dict[UUID, dict[str, Any]] = {}
        accounts: dict[tuple[str, str], dict[str, Any]] = {}
        for raw in rows:
            row = Given(raw, tally)
            try:
                contact_id, workspace_id = self._contact(row, whose)
                base = {
                    "contact_id": contact_id,
                    "workspace_id": workspace_id,
                    "at": values.moment(row.get("updated_at")) or LONG_AGO,
                }
                profile, memory, account = _profile(row), _memory(row), _account(row)
            except values.Refused as refused:
                tally.refuse(values.text(raw.get("id")), refused.reason)
                continue
            if any(profile.values()):
                profiles.setdefault(contact_id, base | profile)
            if any(memory.values()):
                memories.setdefault(contact_id, base | memory)
            if account:
                slot = (str(workspace_id), account["customer"])
                if slot in accounts and accounts[slot]["contact_id"] != contact_id:
                    row.changed("customer_of_two_contacts")
                else:
                    accounts[slot] = base | {"id": uuid7()} | account
        return {
            "rows": tally,
            "profiles": _counted(len(profiles), self._profiles.write(list(profiles.values()))),
            "memories": _counted(len(memories), self._memories.write(list(memories.values()))),
            "billing accounts": _counted(len(accounts), _bill(list(accounts.values()))),
        }

    def _whose(self, rows: Iterable[dict[str, Any]]) -> dict[UUID, tuple[UUID, UUID]]:
        ids = []
        for raw in rows:
            try:
                ids.append(self._scope.key("contacts", raw.get("id")))
            except values.Refused:
                continue
        found = fetch(_CONTACTS, {"ids": [id_ for id_ in ids if id_]})
        return {old: (contact, workspace) for old, contact, workspace in found}

    def _contact(self, row: Given, whose: dict[UUID, tuple[UUID, UUID]]) -> tuple[UUID, UUID]:
        if reason := row.get(UNREADABLE):
            raise values.Refused(reason)
        old = row.supabase_id = self._scope.need("contacts", row.get("id"), "no_id")
        if old not in whose:
            raise values.Refused("unknown_contact")
        return whose[old]


def _counted(given: int, written: tuple[int, int]) -> Tally:
    tally = Tally()
    tally.wrote(given, *written)
    return tally


def _bill(rows: list[dict[str, Any]]) -> tuple[int, int]:
    if not rows:
        return 0, 0
    made = [is_new for _, is_new in fetch(_BILLING, {"rows": orjson.dumps(rows).decode()})]
    return sum(made), len(made) - sum(made)


def _profile(row: Given) -> dict[str, Any]:
    return {
        "first_name": row.text("first_name", 120),
        "relationship": row.text("relationship", 60),
        "zip_code": row.text("zip_code", 20),
        "journey_phase": row.text("journey_phase", 60),
        "burnout_score": _score(row),
        "burnout_band": values.text(row.get("burnout_band")),
        "pressure_zones": values.words(row.get("pressure_zones"), ZONE)[:ZONES],
        "last_contact_at": values.moment(row.get("last_contact_at")),
        "assessment": values.obj(row.get("assessment")),
    }


def _memory(row: Given) -> dict[str, Any]:
    recent = values.structure(row.get("recent_messages"))
    return {
        "recent_messages": recent if isinstance(recent, list) else [recent] if recent else [],
        "historical_summary": values.text(row.get("historical_summary")),
        "conversation_started_at": values.moment(row.get("conversation_started_at")),
        "total_interactions": _whole(row, "total_interactions"),
        "last_message_at": values.moment(row.get("last_message_at")),
    }


def _account(row: Given) -> dict[str, Any]:
    customer = row.text("stripe_customer_id", 255)
    if not customer:
        return {}
    return {
        "customer": customer,
        "subscription": row.text("stripe_subscription_id", 255),
        "status": values.text(row.get("subscription_status")) or "none",
        "price": row.text("price_id", 255),
        "canceled_at": values.later(row.get("canceled_at")),
        "trial_ends_at": values.later(row.get("trial_ends_at")),
        "period_end": values.later(row.get("period_end")),
    }


def _score(row: Given) -> float | None:
    word = values.text(row.get("burnout_score"))
    if not word:
        return None
    try:
        score = round(float(word), 2)
    except (ValueError, OverflowError):
        row.changed("unreadable_score")
        return None
    if not abs(score) < 1000:  # nor a NaN
        row.changed("score_out_of_range")
        return None
    return score


def _whole(row: Given, name: str) -> int:
    word = values.text(row.get(name))
    try:
        return min(max(round(float(word)), 0), MOST) if word else 0
    except (ValueError, OverflowError):
        row.changed(f"unreadable_{name}")
        return 0
