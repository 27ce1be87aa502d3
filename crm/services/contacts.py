"""Changes to contacts. Finding the contact behind an incoming message is here too, since it may create one."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from config.live.unit import unit_of_work
from crm.actors import Actor
from crm.models import Contact, ContactIdentity, IdentityKind
from crm.phones import Phone, lookup_keys

# A lost race is settled by the winner's row; more rounds than this mean something else is wrong.
ROUNDS = 5
Key = tuple[IdentityKind, str]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote to us, as far as the provider says. At least one of phone, whatsapp and bsuid is known."""

    name: str = ""
    phone: Phone | None = None
    whatsapp: str = ""  # the id as received
    bsuid: str = ""

    def keys(self) -> list[Key]:
        """From the surest to the least sure."""
        keys = [(IdentityKind.BSUID, self.bsuid), (IdentityKind.WHATSAPP, self.whatsapp)]
        if self.phone:
            keys += [(IdentityKind.MATCH, self.phone.match), (IdentityKind.PHONE, self.phone.e164)]
        return [(kind, value) for kind, value in keys if value]


@unit_of_work
def contact_for_sender(*, actor: Actor, sender: Sender) -> Contact:
    """The contact who sent this, created or restored when need be; learns every new form of its number."""
    if not sender.keys():
        raise ValueError("a sender without any identity")
    for _ in range(ROUNDS):
        contact = _known(actor, sender) or _create(actor, sender)
        if contact is not None:
            return contact
    raise RuntimeError("the sender's identities keep changing hands")


def _known(actor: Actor, sender: Sender) -> Contact | None:
    contact_id = _find(actor, sender)
    if contact_id is None:
        return None
    contact = Contact.objects.get(pk=contact_id)
    changed = []
    if contact.deleted_at is not None:
        contact.deleted_at = None  # who writes again is a contact again
        changed.append("deleted_at")
    if not contact.name and sender.name:
        contact.name = sender.name[:200]
        changed.append("name")
    if changed:
        contact.save(update_fields=[*changed, "updated_at"])
    _learn(contact, sender)
    return contact


def _find(actor: Actor, sender: Sender) -> UUID | None:
    keys: list[Key] = sender.keys()
    if sender.phone:
        keys += [(IdentityKind.MATCH, value) for value in lookup_keys(sender.phone)[1:]]
    wanted = Q()
    for kind, value in keys:
        wanted |= Q(kind=kind, value=value)
    owners = {
        (kind, value): contact_id
        for kind, value, contact_id in ContactIdentity.objects.filter(
            wanted, workspace_id=actor.workspace_id
        ).values_list("kind", "value", "contact_id")
    }
    return next((owners[key] for key in keys if key in owners), None)


def _learn(contact: Contact, sender: Sender) -> None:
    """Forms that another contact holds stay there: two hits are no reason to guess."""
    known = set(contact.identities.values_list("kind", "value"))
    ContactIdentity.objects.bulk_create(
        [
            ContactIdentity(workspace_id=contact.workspace_id, contact=contact, kind=kind, value=value)
            for kind, value in sorted(sender.keys())
            if (kind, value) not in known
        ],
        ignore_conflicts=True,
    )


class _LostRace(Exception):
    pass


def _create(actor: Actor, sender: Sender) -> Contact | None:
    """None when somebody else created the same person at the same moment."""
    phone = sender.phone.e164 if sender.phone else ""
    try:
        with transaction.atomic():
            contact = Contact(
                workspace_id=actor.workspace_id, phone=phone, phone_normalized=phone, name=sender.name[:200]
            )
            Contact.objects.bulk_create([contact], ignore_conflicts=True)
            if not Contact.objects.filter(pk=contact.pk).exists():
                raise _LostRace
            _learn(contact, sender)
            if contact.identities.count() != len(sender.keys()):
                raise _LostRace
    except _LostRace:
        return None
    return contact
