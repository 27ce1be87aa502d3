"""What a workspace sets for a web chat of its own: how it speaks, on whose pages, and whose word counts."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Member
from crm.roles import Action
from crm.services import audit
from inbox.models import Channel
from inbox.states import ChannelKind

SECRET = "identity_secret"  # noqa: S105  # the name under which credentials keep it
KEPT = 2  # the new one, and the one before it while the site changes over


@unit_of_work
def change_widget(*, actor: Member, channel_id: UUID, settings: Mapping[str, Any]) -> Channel:
    """Only what is named in `settings` is changed."""
    channel = _locked(actor, channel_id)
    before = {name: channel.settings.get(name) for name in settings}
    channel.settings = {**channel.settings, **settings}
    channel.save(update_fields=["settings"])
    changed = {name: [before[name], value] for name, value in settings.items() if before[name] != value}
    if changed:
        _record(actor, channel, "channel.changed", changed)
    return channel


@unit_of_work
def renew_identity_secret(*, actor: Member, channel_id: UUID) -> str:
    """Told once. What the one before has signed is taken until it is dropped."""
    channel = _locked(actor, channel_id)
    secret = secrets.token_urlsafe(32)
    _keep(channel, [secret, *held_secrets(channel)][:KEPT])
    _record(actor, channel, "channel.changed", {"secrets": [SECRET]})
    return secret


@unit_of_work
def drop_old_identity_secret(*, actor: Member, channel_id: UUID) -> Channel:
    """What it has signed is refused from now on. Dropped twice is dropped."""
    channel = _locked(actor, channel_id)
    held = held_secrets(channel)
    if len(held) > 1:
        _keep(channel, held[:1])
        _record(actor, channel, "channel.changed", {"secrets_dropped": [SECRET]})
    return channel


def held_secrets(channel: Channel) -> list[str]:
    """Newest first."""
    held = channel.credentials.get(SECRET) or []
    return [held] if isinstance(held, str) else list(held)


def _keep(channel: Channel, held: list[str]) -> None:
    channel.credentials = {**channel.credentials, SECRET: held}
    channel.save(update_fields=["credentials"])


def _locked(actor: Member, channel_id: UUID) -> Channel:
    check(actor, Action.MANAGE)
    rows = Channel.objects.select_for_update(no_key=True)
    found = rows.filter(pk=channel_id, workspace_id=actor.workspace_id, kind=ChannelKind.WIDGET).first()
    if found is None:
        raise NotFound
    return found


def _record(actor: Member, channel: Channel, action: str, detail: Mapping[str, Any]) -> None:
    audit.record(actor=actor, action=action, target_kind="channel", target_id=channel.pk, detail=detail)
