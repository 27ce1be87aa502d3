"""What the outside sees of people and contacts: the one form that REST, live events and pages share."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from crm.models import AttributeDefinition, Contact, ContactNote, IdentityKind, User

# For finding, not for reading
INSIDE = frozenset({IdentityKind.MATCH, IdentityKind.SITE, IdentityKind.USER})


class IdentityPayload(TypedDict):
    kind: str
    value: str


class PersonPayload(TypedDict):
    id: UUID
    name: str


class ContactPayload(TypedDict):
    id: UUID
    phone: str
    phone_normalized: str
    name: str
    email: str
    lead_status: str
    lead_score: int | None
    tags: list[str]
    metadata: dict[str, Any]
    attributes: dict[str, Any]
    owner: PersonPayload | None
    identities: list[IdentityPayload]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class NotePayload(TypedDict):
    id: UUID
    contact: UUID
    author: PersonPayload | None
    body: str
    mentions: list[UUID]
    created_at: datetime
    updated_at: datetime


class AttributePayload(TypedDict):
    id: UUID
    key: str
    label: str
    type: str
    choices: list[str]
    position: int
    archived: bool
    created_at: datetime


def contact_payload(contact: Contact) -> ContactPayload:
    """Reads `contact.identities` and `owner`: prefetch and select them for a list. The matching digits stay inside."""
    return {
        "id": contact.pk,
        "phone": contact.phone,
        "phone_normalized": contact.phone_normalized,
        "name": contact.name,
        "email": contact.email,
        "lead_status": contact.lead_status,
        "lead_score": contact.lead_score,
        "tags": contact.tags,
        "metadata": contact.metadata,
        "attributes": contact.attributes,
        "owner": person_payload(contact.owner),
        "identities": [
            {"kind": identity.kind, "value": identity.value}
            for identity in sorted(contact.identities.all(), key=lambda identity: (identity.kind, identity.value))
            if identity.kind not in INSIDE
        ],
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
        "deleted_at": contact.deleted_at,
    }


def person_payload(user: User | None) -> PersonPayload | None:
    return {"id": user.pk, "name": user.display_name} if user else None


def note_payload(note: ContactNote) -> NotePayload:
    """Reads `note.author`."""
    return {
        "id": note.pk,
        "contact": note.contact_id,
        "author": person_payload(note.author),
        "body": note.body,
        "mentions": note.mentions,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
    }


def attribute_payload(definition: AttributeDefinition) -> AttributePayload:
    return {
        "id": definition.pk,
        "key": definition.key,
        "label": definition.label,
        "type": definition.type,
        "choices": definition.choices,
        "position": definition.position,
        "archived": definition.archived_at is not None,
        "created_at": definition.created_at,
    }
