"""Where an old contact or conversation is here, whatever was merged into what since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from inbox.old_data import values
from inbox.old_data.scope import Given, LeftOut, Scope
from inbox.old_data.staging import fetch

_CONTACTS = """
    select c.supabase_id, coalesce(c3.id, c2.id, c1.id, c.id), c.workspace_id,
        coalesce(c3.phone_normalized, c2.phone_normalized, c1.phone_normalized, c.phone_normalized)
    from crm_contact c
    left join crm_contact c1 on c1.id = c.merged_into_id
    left join crm_contact c2 on c2.id = c1.merged_into_id
    left join crm_contact c3 on c3.id = c2.merged_into_id
    where c.supabase_id = any(%(ids)s)
"""
_CONVERSATIONS = """
    select c.supabase_id, coalesce(m.id, c.id), c.workspace_id, coalesce(m.channel_id, c.channel_id), w.slug,
        w.supabase_id
    from inbox_conversation c
    join crm_workspace w on w.id = c.workspace_id
    left join inbox_conversation m on m.id = c.merged_into_id
    where c.supabase_id = any(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    workspace_id: UUID
    e164: str


@dataclass(frozen=True, slots=True)
class Thread:
    id: UUID
    workspace_id: UUID
    channel_id: UUID
    slug: str
    old_workspace: UUID | None


def people(ids: Iterable[UUID]) -> dict[UUID, Person]:
    return {row[0]: Person(*row[1:]) for row in fetch(_CONTACTS, {"ids": list(ids)})}


def threads(ids: Iterable[UUID]) -> dict[UUID, Thread]:
    return {row[0]: Thread(*row[1:]) for row in fetch(_CONVERSATIONS, {"ids": list(ids)})}


def contact_of(scope: Scope, row: Given, whose: Mapping[UUID, Person]) -> tuple[UUID, Person]:
    """Of a row that belongs to a contact: as the old system has them, and who that is here."""
    contact = scope.need("contacts", row.get("contact"), "no_contact")
    if contact in scope.left_contacts or scope.is_left_out(row.get("workspace")):
        raise LeftOut
    person = whose.get(contact)
    if person is None:
        raise values.Refused("unknown_contact")
    # Where the old row names its workspace, it must be the contact's.
    if values.text(row.get("workspace")) and scope.place(row.get("workspace")).id != person.workspace_id:
        raise values.Refused("other_workspace")
    return contact, person
