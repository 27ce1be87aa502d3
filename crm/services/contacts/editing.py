"""People and machines at work create, edit, delete and bring back contacts."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.errors import Invalid
from config.live.unit import unit_of_work
from crm.access import check, contact_for
from crm.actors import Actor
from crm.errors import ContactMerged, IdReused, PhoneTaken
from crm.events import announce_contact, announce_new_contact
from crm.ids import uuid7
from crm.models import AuditEntry, Contact, Member, Workspace
from crm.phones import from_international
from crm.roles import Action
from crm.services import audit
from crm.services.attributes import checked_values
from crm.services.contacts.numbers import holder_of, leave_number, read_number, take_address, take_number
from crm.services.contacts.words import index_words

# Whose changes the log keeps with before and after. Of the others it keeps only that they changed: they are personal.
SHOWN = ("lead_status", "lead_score", "tags", "owner")


class ContactFields(TypedDict, total=False):
    """What is set; what is missing stays as it is."""

    name: str
    phone: str
    email: str
    lead_status: str
    lead_score: int | None
    tags: list[str]
    metadata: dict[str, Any]
    attributes: dict[str, Any]  # by key; None takes a value away, the others stay
    owner: UUID | None


# Apps above whose rows go with a contact, and come back with it, inside the same unit of work.
Gone = Callable[[Actor, Contact, datetime], object]
_on_deleted: list[Gone] = []
_on_restored: list[Gone] = []


def on_deleted(do: Gone) -> None:
    """Registers `do(actor, contact, deleted_at)`, in AppConfig.ready()."""
    if do not in _on_deleted:
        _on_deleted.append(do)


def on_restored(do: Gone) -> None:
    """Registers `do(actor, contact, deleted_at)`: what went at that moment comes back."""
    if do not in _on_restored:
        _on_restored.append(do)


@unit_of_work
def create_contact(*, actor: Actor, fields: ContactFields, contact_id: UUID | None = None) -> tuple[Contact, bool]:
    """The contact, and whether this call made it. The same `contact_id` with the same fields is the same contact."""
    check(actor, Action.EDIT_CONTACTS)
    if contact_id is not None and (known := _known(actor, contact_id, fields)):
        return known, False
    _check_reachable(fields)
    contact = Contact(id=contact_id or uuid7(), workspace_id=actor.workspace_id)
    phone = read_number(actor.workspace_id, fields.get("phone", ""))
    _set(actor, contact, fields)
    contact.phone_normalized = phone.e164 if phone else ""
    index_words(contact)
    try:
        with transaction.atomic():
            contact.save(force_insert=True)
    except IntegrityError:
        if phone and (holder := holder_of(actor.workspace_id, phone)):
            raise PhoneTaken(contact=holder) from None
        raise IdReused from None
    if phone:
        take_number(contact, phone)
    take_address(contact, "")
    audit.record(
        actor=actor,
        action="contact.created",
        target_kind="contact",
        target_id=contact.pk,
        detail={"request": _digest(fields)},
    )
    announce_new_contact(contact, Workspace.objects.get(pk=contact.workspace_id))
    return contact, True


def _known(actor: Actor, contact_id: UUID, fields: ContactFields) -> Contact | None:
    known = Contact.objects.filter(pk=contact_id).first()
    if known is None:
        return None
    made = AuditEntry.objects.filter(
        workspace_id=actor.workspace_id, target_kind="contact", target_id=str(contact_id), action="contact.created"
    ).first()
    if made is None or made.detail.get("request") != _digest(fields) or known.deleted_at is not None:
        raise IdReused
    return known


def _digest(fields: ContactFields) -> str:
    return hashlib.sha256(orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _check_reachable(fields: ContactFields) -> None:
    if not any(fields.get(name) for name in ("name", "phone", "email")):
        raise Invalid(errors={"name": "Give at least a name, a number or an e-mail address."})


@unit_of_work
def update_contact(*, actor: Actor, contact_id: UUID, fields: ContactFields) -> Contact:
    """What is equal already is no change: nobody hears of it."""
    contact = contact_for(actor, contact_id, for_update=True)
    check(actor, Action.EDIT_CONTACTS)
    before = _values(contact)
    old_number, old_address = contact.phone_normalized, contact.email
    if "phone" in fields and fields["phone"] != contact.phone:
        _renumber(contact, fields["phone"])
    _set(actor, contact, fields)
    changed = {name: old for name, old in before.items() if old != _values(contact)[name]}
    if not changed:
        return contact
    if contact.phone_normalized != old_number:
        leave_number(contact, old_number)
    if "email" in changed:
        take_address(contact, old_address)
    if changed.keys() & {"name", "email", "phone"}:
        index_words(contact, contact.identities.filter(kind="phone").values_list("value", flat=True))
    _save(contact)
    _record(actor, contact, changed)
    announce_contact(contact)
    return contact


def _renumber(contact: Contact, typed: str) -> None:
    phone = read_number(contact.workspace_id, typed)
    contact.phone_normalized = phone.e164 if phone else ""
    if phone:
        take_number(contact, phone)


def _set(actor: Actor, contact: Contact, fields: ContactFields) -> None:
    for name in ("name", "phone", "email", "lead_status", "lead_score", "metadata"):
        if name in fields:
            setattr(contact, name, fields[name])
    if "tags" in fields:
        contact.tags = list(dict.fromkeys(fields["tags"]))
    if "owner" in fields:
        contact.owner_id = _checked_owner(actor, fields["owner"])
    if fields.get("attributes"):
        contact.attributes = checked_values(actor, contact.attributes, fields["attributes"])


def _checked_owner(actor: Actor, owner_id: UUID | None) -> UUID | None:
    if owner_id is None:
        return None
    members = Member.objects.filter(workspace_id=actor.workspace_id, user_id=owner_id, user__deactivated_at=None)
    if not members.exists():
        raise Invalid(errors={"owner": "Not a member of this workspace."})
    return owner_id


def _values(contact: Contact) -> dict[str, Any]:
    return {
        "name": contact.name,
        "phone": contact.phone,
        "email": contact.email,
        "lead_status": contact.lead_status,
        "lead_score": contact.lead_score,
        "tags": contact.tags,
        "metadata": contact.metadata,
        "attributes": contact.attributes,
        "owner": contact.owner_id,
    }


def _save(contact: Contact) -> None:
    try:
        with transaction.atomic():
            contact.save()
    except IntegrityError:  # a row without identities holds the number
        phone = from_international(contact.phone_normalized)
        raise PhoneTaken(contact=holder_of(contact.workspace_id, phone) if phone else None) from None


def _record(actor: Actor, contact: Contact, changed: dict[str, Any]) -> None:
    now = _values(contact)
    detail: dict[str, Any] = {name: [old, now[name]] for name, old in changed.items() if name in SHOWN}
    hidden = [name for name in changed if name not in SHOWN]
    if hidden:
        detail["fields"] = hidden
    audit.record(actor=actor, action="contact.updated", target_kind="contact", target_id=contact.pk, detail=detail)


@unit_of_work
def delete_contact(*, actor: Actor, contact_id: UUID) -> Contact:
    """Softly: conversations and notes go with it and come back with it. Its number is free for somebody else."""
    contact = contact_for(actor, contact_id, for_update=True)
    check(actor, Action.EDIT_CONTACTS)
    contact.deleted_at = timezone.now()
    contact.save(update_fields=["deleted_at", "updated_at"])
    for take_along in _on_deleted:
        take_along(actor, contact, contact.deleted_at)
    audit.record(actor=actor, action="contact.deleted", target_kind="contact", target_id=contact.pk)
    announce_contact(contact)
    return contact


@unit_of_work
def restore_contact(*, actor: Actor, contact_id: UUID) -> Contact:
    """PhoneTaken when somebody else goes by the number now."""
    contact = contact_for(actor, contact_id, for_update=True, deleted=True)
    check(actor, Action.EDIT_CONTACTS)
    if contact.merged_into_id is not None:
        raise ContactMerged(contact=contact.merged_into_id)
    if contact.deleted_at is None:
        return contact
    deleted_at, contact.deleted_at = contact.deleted_at, None
    phone = from_international(contact.phone_normalized)
    if phone:
        take_number(contact, phone)
    _save(contact)
    bring_back(actor, contact, deleted_at)
    audit.record(actor=actor, action="contact.restored", target_kind="contact", target_id=contact.pk)
    announce_contact(contact)
    return contact


def bring_back(actor: Actor, contact: Contact, deleted_at: datetime) -> None:
    for bring in _on_restored:
        bring(actor, contact, deleted_at)
