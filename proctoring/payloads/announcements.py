"""What the outside sees of an announcement: once, with how far it has come with those whom it was for."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from proctoring.models import Command
from proctoring.payloads.sessions import PersonPayload


class ReachedPayload(TypedDict):
    queued: int
    delivered: int
    seen: int
    expired: int


class AnnouncementPayload(TypedDict):
    batch: UUID  # as its commands have it
    body: str
    is_urgent: bool
    by: PersonPayload | None
    created_at: datetime
    students: int
    reached: ReachedPayload


def announcement_payload(command: Command, counts: Mapping[str, int]) -> AnnouncementPayload:
    """`counts`: of its batch, by state. Reads created_by."""
    by = command.created_by
    return {
        "batch": command.batch,
        "body": command.body,
        "is_urgent": command.is_urgent,
        "by": {"id": by.pk, "name": by.display_name} if by else None,
        "created_at": command.created_at,
        "students": sum(counts.values()),
        "reached": {
            "queued": counts["queued"],
            "delivered": counts["delivered"],
            "seen": counts["seen"],
            "expired": counts["expired"],
        },
    }
