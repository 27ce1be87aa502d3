"""How the live topics and other systems hear that a contact became part of another."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from config.live.events import Event, publish
from crm import feed, topics
from crm.models import Contact


@dataclass(frozen=True)
class ContactGone(Event):
    """It leaves lists and screens; what it had is with another contact, or nowhere."""

    type: ClassVar[str] = "contact.updated"
    id: UUID
    merged_into: UUID | None = None
    deleted: bool = True


def announce_gone(contact: Contact, *, into: UUID | None = None) -> None:
    event = ContactGone(contact.pk, into)
    publish(topics.contact(contact.pk), event)
    feed.announce_in(contact.workspace_id, lambda: event)
