"""The record of who changed what. Written in the same transaction as the change; nothing here alters or removes it."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from crm.actors import Actor, ApiKey, Member
from crm.models import AuditEntry, User

LONGEST_NAME = 200
# Told of what was recorded in a workspace: its id, and kind and id of what was changed.
Listener = Callable[[UUID, str, str], None]
_listeners: list[Listener] = []


def on_record(listener: Listener) -> None:
    """Registers who else hears of changes, inside their unit of work; apps above do it in AppConfig.ready()."""
    if listener not in _listeners:
        _listeners.append(listener)


def record(
    *,
    actor: Actor | User | None,
    action: str,
    target_kind: str,
    target_id: UUID | str | int = "",
    detail: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Inside the unit of work of the change. `action` is `noun.what_happened`, as in `member.role_changed`.

    `detail` says what changed, as {"field": [before, after]}: settings and ids, nothing that customers wrote and no
    secret. An actor of a workspace writes into its log; a User is a platform admin and None the command line, whose
    entries belong to the platform.
    """
    entry = AuditEntry.objects.create(
        **_who(actor),
        action=action,
        target_kind=target_kind,
        target_id=str(target_id),
        detail=json.loads(json.dumps(dict(detail or {}), default=str)),
    )
    if entry.workspace_id:
        for listener in _listeners:
            listener(entry.workspace_id, target_kind, str(target_id))
    return entry


def _who(actor: Actor | User | None) -> dict[str, Any]:
    if actor is None:
        return {"actor_kind": "system", "actor_name": "command line"}
    if isinstance(actor, User):
        return {"actor_kind": "platform", "actor_id": actor.pk, "actor_name": actor.display_name[:LONGEST_NAME]}
    where = {"workspace_id": actor.workspace_id}
    if isinstance(actor, Member):
        return {**where, "actor_kind": "member", "actor_id": actor.user_id, "actor_name": actor.name[:LONGEST_NAME]}
    if isinstance(actor, ApiKey):
        return {**where, "actor_kind": "api_key", "actor_id": actor.key_id, "actor_name": actor.name[:LONGEST_NAME]}
    return {**where, "actor_kind": "system", "actor_name": actor.source[:LONGEST_NAME]}
