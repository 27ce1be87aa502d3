"""Reads of contacts: the list with its filters, one contact, what stands at the heads of the board's columns."""

from collections.abc import Mapping
from typing import TypedDict
from uuid import UUID

from config.errors import NotFound
from config.live.events import head
from crm import topics
from crm.access import visible_contacts
from crm.actors import Actor
from crm.models import ContactNote
from crm.paging import DEFAULT_LIMIT, Page
from crm.queries.contact_filters import narrowed
from crm.queries.lines import ContactRowPayload, lines
from crm.queries.orders import Free, ordered_page
from crm.queries.time_limit import time_limit


class LivePayload(TypedDict):
    topic: str
    seq: int


class ContactDetailPayload(ContactRowPayload):
    notes_count: int
    live: LivePayload


def list_contacts(
    actor: Actor, query: Mapping[str, str], *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[ContactRowPayload]:
    """Invalid with a sentence for every wrong parameter; TooSlow when it would take others' time."""
    rows, order = narrowed(actor, query)
    with time_limit():
        free = Free(actor.workspace_id) if "view" in query else None
        return ordered_page(rows, order, cursor=cursor, limit=limit, free=free)


def get_contact(actor: Actor, contact_id: UUID) -> ContactDetailPayload:
    """Raises NotFound. The live number is read before the state."""
    topic = topics.contact(contact_id)
    seq = head(topic)
    visible = visible_contacts(actor).filter(pk=contact_id)
    for row in lines(visible.values("id")):
        notes = ContactNote.objects.filter(contact_id=contact_id, deleted_at=None).count()
        return {**row, "notes_count": notes, "live": {"topic": topic, "seq": seq}}
    raise NotFound
