"""The live topic of one contact: its name, and who may listen."""

from uuid import UUID

from config.live.identity import Identity
from config.live.topics import register
from crm.access import known_contacts, listener_of
from crm.models import Contact


def contact(contact_id: UUID) -> str:
    return f"contact.{contact_id}"


def register_topics() -> None:
    register("contact", _may_hear_contact)


def _may_hear_contact(identity: Identity | None, key: str) -> bool:
    try:
        contact_id = UUID(key)
    except ValueError:
        return False
    workspace_id = Contact.objects.filter(pk=contact_id).values_list("workspace_id", flat=True).first()
    if workspace_id is None or key != str(contact_id):
        return False
    actor = listener_of(identity, workspace_id)
    return actor is not None and known_contacts(actor).filter(pk=contact_id).exists()
