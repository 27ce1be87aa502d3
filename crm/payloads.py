"""What the outside sees of people and contacts: the one form that REST, live events and pages share."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from crm.models import Contact


class IdentityPayload(TypedDict):
    kind: str
    value: str


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
    identities: list[IdentityPayload]
    created_at: datetime
    updated_at: datetime


def contact_payload(contact: Contact) -> ContactPayload:
    """Reads `contact.identities`: prefetch them for a list. The matching digits are ours and stay inside."""
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
        "identities": [
            {"kind": identity.kind, "value": identity.value}
            for identity in contact.identities.all()
            if identity.kind != "match"
        ],
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
    }
