"""Channels as admins of a workspace, and of the platform, connect and change them. Secrets go in and never come out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from config.errors import Conflict
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.models import User
from crm.roles import Action
from crm.services import audit
from inbox.events import announce_setting
from inbox.models import Channel

# Under which name each kind keeps a secret, and whether several are good at once, newest first.
SECRETS: Mapping[str, Mapping[str, bool]] = {
    "kapso": {"api_key": False, "webhook_secrets": True, "app_secrets": True, "verify_tokens": True},
    "twilio": {"auth_tokens": True},
    "widget": {},
}
KEPT = 2  # the new one and the one before it, while a provider changes over


class ChannelSlugTaken(Conflict):
    code = "slug_taken"
    message = "Another channel has this name in its addresses."


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    identifier: str
    phone: str
    is_active: bool
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # only those that are new


@unit_of_work
def create_channel(*, actor: Actor, slug: str, kind: str, wanted: Wanted, by: User | None = None) -> Channel:
    """`by` is the platform's admin who does it from outside of the workspace."""
    check(actor, Action.MANAGE)
    channel = Channel(workspace_id=actor.workspace_id, slug=slug.lower(), kind=kind, credentials={})
    _take(channel, wanted)
    try:
        with transaction.atomic():
            channel.save(force_insert=True)
    except IntegrityError:
        raise ChannelSlugTaken from None
    announce_setting(channel.workspace.slug, "channel", channel.pk)
    audit.record(
        actor=actor,
        action="channel.created",
        target_kind="channel",
        target_id=channel.pk,
        detail={"slug": channel.slug, "kind": kind, **_by(by)},
    )
    return channel


@unit_of_work
def change_channel(*, actor: Actor, channel: Channel, wanted: Wanted, by: User | None = None) -> Channel:
    check(actor, Action.MANAGE)
    locked = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk, workspace_id=actor.workspace_id)
    before = {name: getattr(locked, name) for name in ("name", "identifier", "phone", "is_active")}
    _take(locked, wanted)
    locked.save(update_fields=[*before, "credentials"])
    announce_setting(locked.workspace.slug, "channel", locked.pk)
    changed: dict[str, Any] = {
        name: [value, getattr(locked, name)] for name, value in before.items() if getattr(locked, name) != value
    }
    renewed = sorted(name for name, secret in wanted.secrets.items() if secret)
    if changed or renewed:
        audit.record(
            actor=actor,
            action="channel.changed",
            target_kind="channel",
            target_id=locked.pk,
            detail={**changed, **({"secrets": renewed} if renewed else {}), **_by(by)},
        )
    return locked


def _by(user: User | None) -> dict[str, Any]:
    return {"by": user.pk} if user else {}


def _take(channel: Channel, wanted: Wanted) -> None:
    channel.name, channel.identifier = wanted.name, wanted.identifier
    channel.phone, channel.is_active = wanted.phone, wanted.is_active
    held = dict(channel.credentials)
    for name, several in SECRETS.get(channel.kind, {}).items():
        if not (secret := wanted.secrets.get(name, "").strip()):
            continue
        if several:
            older = held.get(name) or []
            older = [older] if isinstance(older, str) else older
            held[name] = [secret, *(one for one in older if one != secret)][:KEPT]
        else:
            held[name] = secret
    channel.credentials = held
