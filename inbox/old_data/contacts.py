"""Old contacts. One number is one contact: the first that has it keeps it, later ones are folded into it.

Folded means what merging means: the row is here, deleted, and points at the other (`merged_into`), so that its
conversations and notes find their way. A contact that a message has made here meanwhile is linked to the old one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection

from crm import phones
from crm.erased import Traced
from crm.ids import uuid7, uuid7_from
from crm.models import ContactIdentity, IdentityKind
from inbox.old_data import folds, values
from inbox.old_data.report import Tally
from inbox.old_data.scope import Given, LeftOut, Place, Scope
from inbox.old_data.searching import contact_words
from inbox.old_data.staging import Stage, execute, fetch, json

TAG, TAGS = 60, 100  # characters, and how many
COMPARED = (
    "phone",
    "phone_normalized",
    "name",
    "email",
    "lead_status",
    "lead_score",
    "tags",
    "metadata",
    "owner_id",
    "created_at",
    "deleted_at",
)
COLUMNS = ("id", "workspace_id", "supabase_id", *COMPARED, "merged_into_id", "attributes", "updated_at", "search")


class Raced(Exception):
    """Somebody here made a contact of the same number at the same moment: plan the batch again."""


@dataclass(slots=True)
class Old:
    """A contact as the old system has it."""

    supabase_id: UUID
    place: Place
    phone: str
    number: phones.Phone | None
    whatsapp: str
    name: str
    email: str
    lead_status: str
    lead_score: int | None
    tags: list[str]
    metadata: dict[str, Any]
    owner_id: UUID | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    e164: str = ""
    merged_into: UUID | None = None
    claims: bool = False  # its numbers become its identities

    @property
    def id(self) -> UUID:
        return uuid7_from(self.created_at, self.supabase_id.bytes)

    def identities(self) -> list[tuple[str, str]]:
        number = self.number
        found = [(IdentityKind.MATCH, number.match), (IdentityKind.PHONE, number.e164)] if number else []
        if not number and self.phone and self.whatsapp == "":
            found.append((IdentityKind.PHONE, self.phone))  # a short code, or the name of a sender
        if self.whatsapp:
            found.append((IdentityKind.WHATSAPP, self.whatsapp))
        return [(kind.value, value) for kind, value in found]


@dataclass(slots=True)
class Holder:
    """Who has a number here, or will have once this batch is written."""

    id: UUID
    supabase_id: UUID | None
    is_deleted: bool


@dataclass(slots=True)
class Plan:
    write: list[Old] = field(default_factory=list)
    linked: list[tuple[Old, UUID]] = field(default_factory=list)
    taken_over: list[UUID] = field(default_factory=list)  # deleted contacts whose numbers a living one has
    frozen: int = 0  # folded or merged before: no longer a contact of its own


class Contacts:
    name = "contacts"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._stage = Stage("crm_contact", COLUMNS, compared=COMPARED, also=("updated_at", "search"))

    def write(self, rows: list[dict[str, Any]]) -> Tally:
        tally = Tally()
        self._scope.learn_users(row.get("owner") for row in rows)
        erased = self._scope.erased(Traced.OLD_CONTACT, self.name, rows)
        olds: dict[UUID, Old] = {}
        for raw in rows:
            row = Given(raw, tally)
            try:
                old = self._read(row)
                if old.supabase_id in erased:
                    raise values.Refused("erased")
                if old.supabase_id in olds:
                    raise values.Refused("id_twice")
                olds[old.supabase_id] = old
            except LeftOut:
                tally.counts["left_out"] += 1
                if row.supabase_id:
                    self._scope.left_contacts.add(row.supabase_id)
            except values.Refused as refused:
                tally.refuse(values.text(raw.get("id")), refused.reason)
        if olds:
            self._write(list(olds.values()), tally)
        return tally

    def drop(self) -> None:
        self._stage.drop()

    # --- Reading ---------------------------------------------------------------------------------------------

    def _read(self, row: Given) -> Old:
        old = row.supabase_id = self._scope.need("contacts", row.get("id"), "no_id")
        place = self._scope.place(row.get("workspace"))
        created_at = values.moment(row.get("created_at"))
        if created_at is None:
            raise values.Refused("no_time")
        phone = row.text("phone", 40)
        whatsapp = row.text("whatsapp", 40).lstrip("+")
        number = phones.parse(phone, place.region) if phone else phones.from_international(whatsapp)
        if phone and number is None:
            row.changed("unreadable_phone")
        return Old(
            supabase_id=old,
            place=place,
            phone=phone,
            number=number,
            e164=number.e164 if number else "",
            whatsapp=whatsapp,
            name=row.text("name", 200),
            email=_email(row),
            lead_status=row.text("lead_status", 40),
            lead_score=_score(row),
            tags=_tags(row),
            metadata=values.obj(row.get("metadata")),
            owner_id=self._owner(row, place),
            created_at=created_at,
            updated_at=values.moment(row.get("updated_at")) or created_at,
            deleted_at=values.moment(row.get("deleted_at")),
        )

    def _owner(self, row: Given, place: Place) -> UUID | None:
        if not values.text(row.get("owner")):
            return None
        found = self._scope.member(row.get("owner"), place.id)
        if found is None:
            row.changed("owner_is_no_member")
        return found

    # --- Planning --------------------------------------------------------------------------------------------

    def _plan(self, olds: Sequence[Old], tally: Tally) -> Plan:
        plan = Plan()
        here = _here(olds)
        holders = _holders(olds)
        for old in olds:
            known = here.get(old.supabase_id)
            if known and known[1] is not None:
                plan.frozen += 1
                continue
            slot = (old.place.id, old.number.match) if old.number else None
            holder = holders.get(slot) if slot else None
            own = known[0] if known else old.id
            if holder is None or holder.id == own:
                old.claims = not (old.deleted_at and known)
            elif known is None and holder.supabase_id is None and not holder.is_deleted:
                plan.linked.append((old, holder.id))
                holder.supabase_id = old.supabase_id
                continue
            else:
                self._settle(old, holder, plan, tally, is_new=known is None)
            if slot and old.claims:
                holders[slot] = Holder(own, old.supabase_id, old.deleted_at is not None)
            plan.write.append(old)
        return plan

    def _settle(self, old: Old, holder: Holder, plan: Plan, tally: Tally, *, is_new: bool) -> None:
        """Somebody else has its number."""
        if old.deleted_at:
            return
        if holder.is_deleted:
            old.claims = True
            plan.taken_over.append(holder.id)
        elif is_new:
            old.merged_into, old.deleted_at, old.e164 = holder.id, old.updated_at, ""
            tally.change(old.supabase_id, "folded_same_number")
        else:
            old.e164 = ""
            tally.change(old.supabase_id, "number_taken")

    # --- Writing ---------------------------------------------------------------------------------------------

    def _write(self, olds: list[Old], tally: Tally) -> None:
        plan = self._plan(olds, tally)
        for deleted in plan.taken_over:
            execute("delete from crm_contactidentity where contact_id = %(id)s", {"id": deleted})
        created, updated = self._stage.write(map(_row, plan.write))
        folded = [old for old in plan.write if old.supabase_id in created]
        folds.record([(old.place.id, old.id, old.merged_into, old.updated_at) for old in folded if old.merged_into])
        for old, contact_id in plan.linked:
            _link(old, contact_id)
        fresh = [old for old in plan.write if old.claims and (old.supabase_id in created or old.supabase_id in updated)]
        _learn([(old, created.get(old.supabase_id) or updated[old.supabase_id]) for old in fresh])
        _learn([(old, contact_id) for old, contact_id in plan.linked])
        tally.wrote(len(plan.write) + plan.frozen, len(created), len(updated))
        tally.counts["linked"] += len(plan.linked)
        if created or updated or plan.linked:
            self._scope.touched.update(old.place.slug for old in olds)


def _row(old: Old) -> tuple[Any, ...]:
    return (
        old.id,
        old.place.id,
        old.supabase_id,
        old.phone,
        old.e164,
        old.name,
        old.email,
        old.lead_status,
        old.lead_score,
        old.tags,
        json(old.metadata),
        old.owner_id,
        old.created_at,
        old.deleted_at,
        old.merged_into,
        json({}),
        old.updated_at,
        contact_words(old.name, old.email, old.phone, old.e164),
    )


def _here(olds: Iterable[Old]) -> dict[UUID, tuple[UUID, UUID | None]]:
    rows = fetch(
        "select supabase_id, id, merged_into_id from crm_contact where supabase_id = any(%(ids)s)",
        {"ids": [old.supabase_id for old in olds]},
    )
    return {old: (new, merged) for old, new, merged in rows}


def _holders(olds: Sequence[Old]) -> dict[tuple[UUID, str], Holder]:
    """By the key under which variants of a number meet; the contact's own column counts where no identity stands."""
    numbers = [(old.place.id, old.number) for old in olds if old.number]
    parameters = {
        "workspaces": [place for place, _ in numbers],
        "keys": [number.match for _, number in numbers],
        "e164s": [number.e164 for _, number in numbers],
    }
    rows = fetch(_HOLDERS, parameters) if numbers else []
    return {
        (workspace, match): Holder(contact, supabase_id, deleted)
        for workspace, match, contact, supabase_id, deleted in rows
    }


_HOLDERS = """
    with asked as (
        select distinct workspace_id, match, e164
        from unnest(%(workspaces)s::uuid[], %(keys)s::text[], %(e164s)s::text[]) as a(workspace_id, match, e164)
    )
    select a.workspace_id, a.match, c.id, c.supabase_id, c.deleted_at is not null
    from asked a join crm_contact c on c.workspace_id = a.workspace_id and c.phone_normalized = a.e164
        and c.deleted_at is null and c.phone_normalized <> ''
    union all
    select a.workspace_id, a.match, c.id, c.supabase_id, c.deleted_at is not null
    from asked a
    join crm_contactidentity i on i.workspace_id = a.workspace_id and i.kind = 'match' and i.value = a.match
    join crm_contact c on c.id = i.contact_id
"""


def _link(old: Old, contact_id: UUID) -> None:
    """What is written here stays; the old system fills what is empty."""
    execute(
        """
        update crm_contact set supabase_id = %(old)s,
            name = coalesce(nullif(name, ''), %(name)s),
            email = coalesce(nullif(email, ''), %(email)s),
            lead_status = coalesce(nullif(lead_status, ''), %(lead_status)s),
            lead_score = coalesce(lead_score, %(lead_score)s),
            tags = case when tags = '{}' then %(tags)s::text[] else tags end,
            metadata = %(metadata)s || metadata,
            owner_id = coalesce(owner_id, %(owner)s)
        where id = %(id)s
        """,
        {
            "old": old.supabase_id,
            "id": contact_id,
            "name": old.name,
            "email": old.email,
            "lead_status": old.lead_status,
            "lead_score": old.lead_score,
            "tags": old.tags,
            "metadata": json(old.metadata),
            "owner": old.owner_id,
        },
    )


def _learn(olds: Sequence[tuple[Old, UUID]]) -> None:
    """Raced when the key that makes a number unique went to somebody else meanwhile."""
    rows = [
        (uuid7(), old.place.id, contact_id, kind, value, old.created_at)
        for old, contact_id in olds
        for kind, value in old.identities()
    ]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into crm_contactidentity (id, workspace_id, contact_id, kind, value, created_at)
            select * from unnest(%(ids)s::uuid[], %(workspaces)s::uuid[], %(contacts)s::uuid[], %(kinds)s::text[],
                %(values)s::text[], %(times)s::timestamptz[])
            on conflict (workspace_id, kind, value) do nothing
            """,
            dict(
                zip(
                    ("ids", "workspaces", "contacts", "kinds", "values", "times"),
                    map(list, zip(*rows, strict=True)),
                    strict=True,
                )
            ),
        )
    wanted = [(place, contact, value) for _, place, contact, kind, value, _ in rows if kind == IdentityKind.MATCH]
    held = ContactIdentity.objects.filter(
        kind=IdentityKind.MATCH, contact_id__in=[contact for _, contact, _ in wanted]
    ).values_list("workspace_id", "contact_id", "value")
    if set(wanted) - set(held):
        raise Raced


def _email(row: Given) -> str:
    address = values.text(row.get("email"))
    if not address:
        return ""
    try:
        validate_email(address)
    except ValidationError:
        row.changed("unreadable_email")
        return ""
    if len(address) > 254:
        row.changed("unreadable_email")
        return ""
    return address


def _score(row: Given) -> int | None:
    word = values.text(row.get("lead_score"))
    if not word:
        return None
    try:
        score = round(float(word))
    except (ValueError, OverflowError):
        row.changed("unreadable_score")
        return None
    if not 0 <= score <= 100:
        row.changed("score_out_of_range")
        return None
    return score


def _tags(row: Given) -> list[str]:
    found = values.words(row.get("tags"), TAG)
    if len(found) > TAGS:
        row.changed("too_many_tags")
    return found[:TAGS]
