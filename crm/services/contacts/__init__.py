"""Changes to contacts: by whoever writes to us (senders), and by people and machines at work (editing)."""

from crm.services.contacts.editing import (
    ContactFields,
    create_contact,
    delete_contact,
    on_deleted,
    on_restored,
    restore_contact,
    update_contact,
)
from crm.services.contacts.senders import Sender, contact_for_sender, learn_identities

__all__ = [
    "ContactFields",
    "Sender",
    "contact_for_sender",
    "create_contact",
    "delete_contact",
    "learn_identities",
    "on_deleted",
    "on_restored",
    "restore_contact",
    "update_contact",
]
