"""Finding the contact behind an incoming message, which may create one, bring it back or teach us another number."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from crm.actors import Actor
from crm.events import announce_contact, announce_new_contact
from crm.models import Contact, ContactIdentity, IdentityKind
from crm.phones import Phone, lookup_keys
from crm.services.contacts.editing import bring_back
from crm.services.contacts.words import index_words

# A lost race is settled by the winner's row; more rounds than this mean something else is wrong.
ROUNDS = 5
Key = tuple[IdentityKind, str]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote to us, as far as the provider says. At least one of phone, whatsapp, bsuid and code is known."""

    name: str = ""
    phone: Phone | None = None
    whatsapp: str = ""  # the id as received
    bsuid: str = ""
    code: str = ""  # what an operator shows instead of a number: a short code, or a name

    def known_as(self) -> list[Key]:
        """From the surest to the least sure."""
        keys = [(IdentityKind.BSUID, self.bsuid), (IdentityKind.WHATSAPP, self.whatsapp)]
        if self.phone:
            keys += [(IdentityKind.MATCH, self.phone.match), (IdentityKind.PHONE, self.phone.e164)]
        elif self.code:
            keys.append((IdentityKind.PHONE, self.code))
        return [(kind, value) for kind, value in keys if value]


def contact_for_sender(*, actor: Actor, sender: Sender) -> Contact:
    """The contact who sent this, created or restored when need be; learns every new form of its number.

    Joins the caller's unit of work.
    """
    if not sender.known_as():
        raise ValueError("a sender without any identity")
    for _ in range(ROUNDS):
        contact = _known(actor, sender) or _create(actor, sender)
        if contact is not None:
            return contact
    raise RuntimeError("the sender's identities keep changing hands")


def _known(actor: Actor, sender: Sender) -> Contact | None:
    identities = _identities(actor, sender)
    contact = next((identity.contact for identity in identities), None)
    if contact is None:
        return None
    while contact.merged_into_id is not None:
        contact = Contact.objects.get(pk=contact.merged_into_id)
    changed, deleted_at = [], contact.deleted_at
    if deleted_at is not None:
        contact.deleted_at = None  # who writes again is a contact again
        changed.append("deleted_at")
    if not contact.name and sender.name:
        contact.name = sender.name[:200]
        index_words(contact)
        changed += ["name", "search"]
    if changed:
        contact.save(update_fields=[*changed, "updated_at"])
    if deleted_at is not None:
        bring_back(actor, contact, deleted_at)
    held = {(identity.kind, identity.value) for identity in identities}
    _learn(contact, [key for key in sender.known_as() if key not in held])
    if changed:
        announce_contact(contact)
    return contact


def _identities(actor: Actor, sender: Sender) -> list[ContactIdentity]:
    """With their contacts, the surest first."""
    keys: list[Key] = sender.known_as()
    if sender.phone:
        keys += [(IdentityKind.MATCH, value) for value in lookup_keys(sender.phone)[1:]]
    wanted = Q()
    for kind, value in keys:
        wanted |= Q(kind=kind, value=value)
    found = ContactIdentity.objects.select_related("contact").filter(wanted, workspace_id=actor.workspace_id)
    return sorted(found, key=lambda identity: keys.index((IdentityKind(identity.kind), identity.value)))


def _learn(contact: Contact, keys: list[Key]) -> None:
    """Forms that another contact holds stay there: two hits are no reason to guess."""
    if keys:
        ContactIdentity.objects.bulk_create(
            [
                ContactIdentity(workspace_id=contact.workspace_id, contact=contact, kind=kind, value=value)
                for kind, value in sorted(keys)
            ],
            ignore_conflicts=True,
        )


def learn_identities(*, actor: Actor, contact: Contact, sender: Sender) -> None:
    """The person goes by these from now on, the number they are called under included, unless it is another's.

    Joins the caller's unit of work.
    """
    _learn(contact, sender.known_as())
    phone = sender.phone.e164 if sender.phone else ""
    held = Contact.objects.filter(workspace_id=actor.workspace_id, phone_normalized=phone, deleted_at=None)
    if not phone or held.exists():
        return
    contact.phone = contact.phone_normalized = phone
    index_words(contact)
    contact.save(update_fields=["phone", "phone_normalized", "search", "updated_at"])
    announce_contact(contact)


class _LostRace(Exception):
    pass


def _create(actor: Actor, sender: Sender) -> Contact | None:
    """None when somebody else created the same person at the same moment."""
    phone = sender.phone.e164 if sender.phone else ""
    try:
        with transaction.atomic():
            contact = Contact(
                workspace_id=actor.workspace_id,
                phone=phone or sender.code[:40],
                phone_normalized=phone,
                name=sender.name[:200],
            )
            index_words(contact)
            Contact.objects.bulk_create([contact], ignore_conflicts=True)
            # Its workspace comes with the proof that it was stored: whether others want to hear stands there.
            stored = Contact.objects.select_related("workspace").filter(pk=contact.pk).first()
            if stored is None:
                raise _LostRace
            _learn(contact, sender.known_as())
            if contact.identities.count() != len(sender.known_as()):
                raise _LostRace
    except _LostRace:
        return None
    announce_new_contact(stored, stored.workspace)
    return stored
