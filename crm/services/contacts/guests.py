"""Contacts behind people who come by themselves: through a widget on a page, or signed in as users of ours.

These join the caller's unit of work. What a visitor says of themselves is believed for the contact that they are, and
never leads to another one; what a site or the issuer has signed does.
"""

from django.db import IntegrityError, transaction

from crm.actors import Actor
from crm.events import announce_contact, announce_new_contact
from crm.models import Contact, ContactIdentity, IdentityKind, Workspace
from crm.services.contacts.editing import bring_back
from crm.services.contacts.numbers import take_address
from crm.services.contacts.words import index_words

Key = tuple[IdentityKind, str]


def guest_contact(*, actor: Actor, key: Key, name: str = "", email: str = "", trusted_email: bool = False) -> Contact:
    """Whoever is known by `key`, else by a trusted address, else somebody new. Knows them by `key` from then on."""
    for _ in range(3):
        found = _known(actor, key) or (_known(actor, (IdentityKind.EMAIL, email.lower())) if trusted_email else None)
        try:
            with transaction.atomic():
                contact = found or new_guest(actor=actor, name=name, email=email)
                _learn(contact, key)
        except IntegrityError:
            continue  # somebody else learned it at the same moment
        return contact
    raise RuntimeError("the identity keeps changing hands")


def new_guest(*, actor: Actor, name: str, email: str) -> Contact:
    contact = Contact(workspace_id=actor.workspace_id, name=name[:200], email=email)
    index_words(contact)
    contact.save(force_insert=True)
    take_address(contact, "")
    announce_new_contact(contact, Workspace.objects.get(pk=contact.workspace_id))
    return contact


def tell_more(*, contact: Contact, name: str = "", email: str = "", placeholder: str = "") -> None:
    """Fills what was not known. A name that was only made up (`placeholder`) gives way to a real one."""
    changed = []
    if name and contact.name in {"", placeholder}:
        contact.name = name[:200]
        changed.append("name")
    if email and not contact.email:
        contact.email = email
        take_address(contact, "")
        changed.append("email")
    if changed:
        index_words(contact, contact.identities.filter(kind=IdentityKind.PHONE).values_list("value", flat=True))
        contact.save(update_fields=[*changed, "search", "updated_at"])
        announce_contact(contact)


def _known(actor: Actor, key: Key) -> Contact | None:
    kind, value = key
    row = (
        ContactIdentity.objects.select_related("contact")
        .filter(workspace_id=actor.workspace_id, kind=kind, value=value)
        .first()
        if value
        else None
    )
    return alive(actor, row.contact) if row else None


def alive(actor: Actor, contact: Contact) -> Contact:
    """The one it was merged into; who writes again is a contact again."""
    while contact.merged_into_id is not None:
        contact = Contact.objects.get(pk=contact.merged_into_id)
    deleted_at = contact.deleted_at
    if deleted_at is not None:
        contact.deleted_at = None
        contact.save(update_fields=["deleted_at", "updated_at"])
        bring_back(actor, contact, deleted_at)
        announce_contact(contact)
    return contact


def _learn(contact: Contact, key: Key) -> None:
    kind, value = key
    held = ContactIdentity.objects.filter(workspace_id=contact.workspace_id, kind=kind, value=value)
    if not held.exists():
        ContactIdentity.objects.create(workspace_id=contact.workspace_id, contact=contact, kind=kind, value=value)
