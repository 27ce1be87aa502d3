"""From an API key to an actor: looked up by its digest, good in one workspace, never wider than its creator's role."""

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import F, OuterRef, Q, Subquery

from config.errors import NotFound
from crm.actors import ApiKey
from crm.api_keys import digest_of, is_key, scopes_now
from crm.identity import key_pace, last_use
from crm.identity.errors import KeyExpired, KeyRefused
from crm.models import ApiKey as KeyRow
from crm.models import Member, Workspace
from crm.roles import Action

# The old single key has no row; sockets and limits never see it.
LEGACY_ID = UUID(int=0)
LEGACY_NAME = "CRM_API_KEY"


@dataclass(frozen=True, slots=True)
class SeenKey:
    actor: ApiKey
    expires_at: float  # epoch seconds, infinite for a key that does not expire
    switches: Mapping[str, bool]  # of the workspace's features


def key_for(raw: str, workspace: str | None = None) -> SeenKey:
    """One query. Refused, expired, over its limit, or NotFound in every workspace but its own."""
    if not is_key(raw):
        raise KeyRefused
    seen, rate = _look_up(Q(digest=digest_of(raw)))
    key_pace.take(seen.actor.key_id, rate)
    last_use.note(seen.actor.key_id)
    if workspace is not None and workspace.lower() != seen.actor.workspace_slug:
        raise NotFound
    return seen


def key_on_socket(raw: str) -> SeenKey:
    """At the handshake. What comes over a socket afterwards has limits of its own."""
    if not is_key(raw):
        raise KeyRefused
    seen, _ = _look_up(Q(digest=digest_of(raw)))
    last_use.note(seen.actor.key_id)
    return seen


def key_again(key_id: UUID) -> SeenKey:
    """For a socket after an access change: not counted as a use."""
    return _look_up(Q(pk=key_id))[0]


def _look_up(which: Q) -> tuple[SeenKey, int]:
    role = Member.objects.filter(workspace=OuterRef("workspace"), user=OuterRef("created_by")).values("role")
    row = (
        KeyRow.objects.filter(which, revoked_at=None, created_by__deactivated_at=None)
        .annotate(slug=F("workspace__slug"), switches=F("workspace__features"), role=Subquery(role))
        .first()
    )
    if row is None:
        raise KeyRefused
    said = vars(row)
    if said["role"] is None:  # the creator has left, and nobody answers for it any more
        raise KeyRefused
    if row.expires_at is not None and row.expires_at.timestamp() <= time.time():
        raise KeyExpired
    actor = ApiKey(
        key_id=row.pk,
        workspace_id=row.workspace_id,
        workspace_slug=said["slug"],
        name=row.name,
        scopes=scopes_now(row.scopes, said["role"]),
        user_id=row.created_by_id,
    )
    return SeenKey(actor, _epoch(row.expires_at), said["switches"]), row.rate_per_minute


def _epoch(moment: datetime | None) -> float:
    return float("inf") if moment is None else moment.timestamp()


# --- The old single key -------------------------------------------------------------------------------------


def is_legacy_key(raw: str) -> bool:
    """CRM_API_KEY, in constant time. Good for the by-phone and context addresses of CRM_API_KEY_WORKSPACE alone."""
    wanted = settings.CRM_API_KEY
    return bool(wanted) and hmac.compare_digest(raw.encode(), wanted.encode())


def legacy_key_actor(raw: str, workspace: str) -> ApiKey | None:
    """None when it is not that key; NotFound in every other workspace. It reads contacts and nothing else."""
    if not is_legacy_key(raw):
        return None
    slug = settings.CRM_API_KEY_WORKSPACE.lower()
    found = Workspace.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if found is None or workspace.lower() != slug:
        raise NotFound
    return ApiKey(
        key_id=LEGACY_ID,
        workspace_id=found,
        workspace_slug=slug,
        name=LEGACY_NAME,
        scopes=frozenset({Action.READ_INBOX}),
        user_id=LEGACY_ID,
    )
