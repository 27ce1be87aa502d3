"""Reads of contacts: the list with its filters, one contact, what stands at the heads of the board's columns."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db.models import QuerySet

from config.errors import NotFound
from config.live.events import head
from crm import topics
from crm.access import visible_contacts
from crm.actors import Actor
from crm.models import Contact
from crm.paging import DEFAULT_LIMIT, Page
from crm.payloads import ContactPayload, contact_payload
from crm.queries.contact_filters import narrowed
from crm.queries.orders import ordered_page
from crm.queries.time_limit import time_limit


class LivePayload(TypedDict):
    topic: str
    seq: int


class ContactRowPayload(ContactPayload):
    last_seen: datetime | None


class ContactDetailPayload(ContactRowPayload):
    notes_count: int
    live: LivePayload


def with_lines(rows: "QuerySet[Contact]") -> "QuerySet[Contact]":
    """All that a row of the list shows; the identities are the second query."""
    return rows.select_related("owner", "memory").prefetch_related("identities").defer(*_UNREAD)


# Large, or nobody's business
_UNREAD = ("search", "memory__recent_messages", "memory__historical_summary")


def list_contacts(
    actor: Actor, query: Mapping[str, str], *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[Contact]:
    """Invalid with a sentence for every wrong parameter; TooSlow when it would take others' time."""
    rows, order = narrowed(actor, query)
    with time_limit():
        return ordered_page(with_lines(rows), order, cursor=cursor, limit=limit)


def row_payload(contact: Contact) -> ContactRowPayload:
    return {**contact_payload(contact), "last_seen": _last_seen(contact)}


def _last_seen(contact: Contact) -> datetime | None:
    memory = getattr(contact, "memory", None)
    return memory.last_message_at if memory else None


def get_contact(actor: Actor, contact_id: UUID) -> ContactDetailPayload:
    """Raises NotFound. The live number is read before the state."""
    topic = topics.contact(contact_id)
    seq = head(topic)
    contact = with_lines(visible_contacts(actor)).filter(pk=contact_id).first()
    if contact is None:
        raise NotFound
    return {
        **row_payload(contact),
        "notes_count": contact.notes.filter(deleted_at=None).count(),
        "live": {"topic": topic, "seq": seq},
    }
