"""Keyed hashes of what was erased, so that whoever sends it again brings nothing back. They name nobody."""

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from crm.models import ErasedTrace

OldId = TypeVar("OldId", UUID, str)


class Traced(StrEnum):
    MESSAGE = "message"  # "<channel>:<provider's id>"
    # Ids that the rows had in the old system, which an import reads again
    OLD_CONTACT = "old_contact"
    OLD_NOTE = "old_note"
    OLD_CONVERSATION = "old_conversation"
    OLD_MESSAGE = "old_message"


def digest(kind: Traced, value: str, *, key: str = "") -> bytes:
    """Without the key nobody can try out which ids were erased here."""
    secret = hashlib.sha256(f"crm.erased:{kind}:{key or settings.SECRET_KEY}".encode()).digest()
    return hmac.new(secret, value.encode(), hashlib.sha256).digest()


def digests(kind: Traced, value: str) -> list[bytes]:
    """By every key that was in use: the newest writes, all are looked for."""
    keys = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    return [digest(kind, value, key=key) for key in keys]


def trace(workspace_id: UUID, kind: Traced, values: Iterable[str]) -> None:
    """Joins the caller's unit of work."""
    ErasedTrace.objects.bulk_create(
        [ErasedTrace(workspace_id=workspace_id, kind=kind, digest=digest(kind, value)) for value in values],
        ignore_conflicts=True,
    )


def is_erased(workspace_id: UUID, kind: Traced, value: str) -> bool:
    return ErasedTrace.objects.filter(workspace_id=workspace_id, kind=kind, digest__in=digests(kind, value)).exists()


def trace_old(workspace_id: UUID, kind: Traced, supabase_ids: Iterable[UUID | None]) -> None:
    """Joins the caller's unit of work. Rows that were born here have no such id."""
    trace(workspace_id, kind, [str(old) for old in supabase_ids if old])


def erased_among(workspace_ids: Iterable[UUID], kind: Traced, supabase_ids: Iterable[OldId]) -> set[OldId]:
    """Which of these were erased here. They are only gone through where anybody ever was."""
    rows = ErasedTrace.objects.filter(workspace_id__in=list(workspace_ids), kind=kind)
    if not rows.exists():
        return set()
    asked = {one: old for old in set(supabase_ids) for one in digests(kind, str(old))}
    found = rows.filter(digest__in=list(asked)).values_list("digest", flat=True)
    return {asked[bytes(one)] for one in found}
