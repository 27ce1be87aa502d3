"""API keys: made, shown once, revoked. A revoked key is refused by the next request, and its sockets go."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from config.errors import Conflict, Invalid, NotFound
from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, Caller
from crm.api_keys import VISIBLE, digest_of, new_key
from crm.models import KEY_PER_MINUTE, ApiKey
from crm.roles import Action
from crm.services.audit import record
from crm.services.members import lock_workspace
from crm.services.roles import key_subject

MOST_KEYS = 100  # that live, of one workspace
MOST_PER_MINUTE = 1_000_000


class TooManyKeys(Conflict):
    code = "too_many_keys"
    message = f"A workspace has {MOST_KEYS} keys at most. Revoke one that nobody uses."


@unit_of_work
def create_key(
    *,
    actor: Caller,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    rate_per_minute: int = KEY_PER_MINUTE,
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is nowhere afterwards."""
    check(actor, Action.MANAGE_KEYS)
    lock_workspace(actor)
    wanted = _checked_scopes(actor, scopes)
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid(errors={"expires_at": "This is in the past."})
    if living(actor.workspace_id).count() >= MOST_KEYS:
        raise TooManyKeys
    raw = new_key()
    key = ApiKey.objects.create(
        workspace_id=actor.workspace_id,
        name=name,
        prefix=raw[:VISIBLE],
        digest=digest_of(raw),
        scopes=wanted,
        created_by_id=actor.user_id,
        rate_per_minute=rate_per_minute,
        expires_at=expires_at,
    )
    detail = {"name": name, "prefix": key.prefix, "scopes": wanted, "expires_at": expires_at}
    record(actor=actor, action="api_key.created", target_kind="api_key", target_id=key.pk, detail=detail)
    return key, raw


@unit_of_work
def revoke_key(*, actor: Actor, key_id: UUID) -> ApiKey:
    """For good; twice is once."""
    check(actor, Action.MANAGE_KEYS)
    key = ApiKey.objects.select_for_update(no_key=True).filter(workspace_id=actor.workspace_id, pk=key_id).first()
    if key is None:
        raise NotFound
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        detail = {"name": key.name, "prefix": key.prefix}
        record(actor=actor, action="api_key.revoked", target_kind="api_key", target_id=key.pk, detail=detail)
        publish_access_change(key_subject(key.pk))
    return key


def status_of(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= timezone.now() else "active"


def living(workspace_id: UUID) -> "QuerySet[ApiKey]":
    return ApiKey.objects.filter(workspace_id=workspace_id, revoked_at=None)


def _checked_scopes(actor: Caller, scopes: Iterable[str]) -> list[str]:
    """In the table's order. Nobody hands out what they may not do."""
    asked = set(scopes)
    if not asked:
        raise Invalid(errors={"scopes": "Name at least one."})
    unknown = asked - set(Action.values)
    if unknown:
        raise Invalid(errors={"scopes": f"There are: {', '.join(Action.values)}."})
    beyond = [action.value for action in Action if action.value in asked and not actor.may(action)]
    if beyond:
        raise Invalid(errors={"scopes": f"Your role does not allow: {', '.join(beyond)}."})
    return [action.value for action in Action if action.value in asked]
