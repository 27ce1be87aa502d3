"""Changes to contacts: by whoever writes to us (senders), people who come
by themselves (guests), and people and machines at work (editing)."""

from crm.services.contacts.editing import (
    ContactFields,
    create_contact,
    delete_contact,
    on_deleted,
    on_restored,
    restore_contact,
    update_contact,
)
from crm.services.contacts.guests import alive, guest_contact, new_guest, tell_more
from crm.services.contacts.senders import Sender, contact_for_sender, learn_identities

__all__ = [
    "ContactFields",
    "Sender",
    "alive",
    "contact_for_sender",
    "create_contact",
    "delete_contact",
    "guest_contact",
    "learn_identities",
    "new_guest",
    "on_deleted",
    "on_restored",
    "restore_contact",
    "tell_more",
    "update_contact",
]
