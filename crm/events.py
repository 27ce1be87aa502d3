"""What happens to contacts, as other systems hear of it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from config.live.events import Event
from crm import feed
from crm.models import Contact, Workspace
from crm.payloads import ContactPayload, contact_payload


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


def announce_new_contact(contact: Contact, workspace: Workspace) -> None:
    """`workspace` as it was read in this unit of work."""
    if workspace.is_feed_open:
        feed.announce(workspace, ContactCreated(contact_payload(contact)))


def announce_contact(contact: Contact) -> None:
    feed.announce_in(contact.workspace_id, lambda: ContactUpdated(contact_payload(contact)))
