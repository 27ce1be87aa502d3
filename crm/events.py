"""What happens to contacts, as open screens and other systems hear of it."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from config.live.events import Event, publish
from crm import feed, topics
from crm.identity.topics import user
from crm.models import Contact, ContactNote, Workspace
from crm.payloads import ContactPayload, NotePayload, contact_payload, note_payload

EXCERPT = 200  # characters of a note in the notice to whom it mentions


@feed.offered
@dataclass(frozen=True)
class ContactCreated(Event):
    type: ClassVar[str] = "contact.created"
    contact: ContactPayload

    def data(self) -> dict[str, Any]:
        return dict(self.contact)


@feed.offered
@dataclass(frozen=True)
class ContactUpdated(ContactCreated):
    type: ClassVar[str] = "contact.updated"


@dataclass(frozen=True)
class ContactDeleted(Event):
    type: ClassVar[str] = "contact.updated"
    id: UUID
    deleted: bool = True


@dataclass(frozen=True)
class ContactNoteCreated(Event):
    """To those who look at the contact. The feed for other systems has no notes of the team's own."""

    type: ClassVar[str] = "note.created"
    note: NotePayload

    def data(self) -> dict[str, Any]:
        return dict(self.note)


@dataclass(frozen=True)
class ContactNoteUpdated(ContactNoteCreated):
    type: ClassVar[str] = "note.updated"


@dataclass(frozen=True)
class ContactNoteDeleted(Event):
    type: ClassVar[str] = "note.updated"
    id: UUID
    deleted: bool = True


@dataclass(frozen=True)
class NoteMentioned(Event):
    """To the mentioned alone."""

    type: ClassVar[str] = "note.mentioned"
    note: UUID
    contact: UUID
    contact_name: str
    author: dict[str, Any] | None
    excerpt: str


@dataclass(frozen=True)
class AvailabilityChanged(Event):
    """To oneself, on one's other tabs and devices."""

    type: ClassVar[str] = "availability.changed"
    workspace: str
    availability: str


def announce_availability(user_id: UUID, workspace_slug: str, availability: str) -> None:
    publish(user(user_id), AvailabilityChanged(workspace_slug, str(availability)))


def announce_new_contact(contact: Contact, workspace: Workspace) -> None:
    """`workspace` as it was read in this unit of work."""
    if workspace.is_feed_open:
        feed.announce(workspace, ContactCreated(contact_payload(contact)))


def announce_contact(contact: Contact) -> None:
    event = ContactDeleted(contact.pk) if contact.deleted_at else ContactUpdated(contact_payload(contact))
    publish(topics.contact(contact.pk), event)
    feed.announce_in(contact.workspace_id, lambda: event)


def announce_note(note: ContactNote, *, created: bool = False) -> None:
    payload = note_payload(note)
    publish(topics.contact(note.contact_id), ContactNoteCreated(payload) if created else ContactNoteUpdated(payload))


def announce_note_deletion(note: ContactNote) -> None:
    publish(topics.contact(note.contact_id), ContactNoteDeleted(note.pk))


def announce_mentions(note: ContactNote, user_ids: list[UUID]) -> None:
    payload = note_payload(note)
    event = NoteMentioned(
        note=note.pk,
        contact=note.contact_id,
        contact_name=note.contact.display_name,
        author=dict(payload["author"]) if payload["author"] else None,
        excerpt=note.body[:EXCERPT],
    )
    for user_id in user_ids:
        publish(user(user_id), event)
