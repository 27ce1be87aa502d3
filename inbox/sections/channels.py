"""The section of channels: what they are called, their secrets, whether the provider answers."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from rest_framework import serializers

from config.errors import Conflict, NotFound
from crm.access import check
from crm.actors import Member
from crm.api.base import StrictSerializer, checked
from crm.roles import Action
from crm.sections.base import Done, Section, section
from inbox.models import Channel
from inbox.sections.base import typed
from inbox.senders import client_for, has_provider
from inbox.services.channels import SECRETS, Wanted, change_channel, create_channel
from inbox.states import ChannelKind
from jobs.errors import ProviderError

WORDS = {
    "api_key": lazy("API key"),
    "webhook_secrets": lazy("Webhook secret"),
    "app_secrets": lazy("App secret (Meta)"),
    "verify_tokens": lazy("Verify token (Meta)"),
    "auth_tokens": lazy("Auth token"),
}
IDENTIFIERS = {"kapso": lazy("Phone number id"), "twilio": lazy("Account SID"), "widget": lazy("Outside name")}


class NotConnected(Conflict):
    code = "not_connected"


class ChannelBody(StrictSerializer):
    name = serializers.CharField(max_length=120)
    identifier = serializers.CharField(max_length=120, allow_blank=True, default="")
    phone = serializers.RegexField(r"^(\+[1-9][0-9]{6,14})?$", allow_blank=True, default="")
    secrets = serializers.DictField(child=serializers.CharField(max_length=500, allow_blank=True), default=dict)


class NewChannelBody(ChannelBody):
    slug = serializers.SlugField(max_length=60)
    kind = serializers.ChoiceField(ChannelKind.choices)


@section
class Channels(Section):
    key, title, icon, needs = "channels", lazy("Channels"), "phone", Action.MANAGE
    place, template = 5, "settings/channels.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = Channel.objects.filter(workspace_id=actor.workspace_id).order_by("name", "id")
        return {"channels": [_shown(row, request) for row in rows], "kinds": ChannelKind.choices}

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(NewChannelBody(data={**_typed(request), **typed(request, "slug", "kind")}))
        slug, kind = given.pop("slug"), given.pop("kind")
        create_channel(actor=actor, slug=slug, kind=kind, wanted=Wanted(is_active=True, **given))
        return Done(_("Connected"))

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        channel = _of(actor, request)
        given = checked(ChannelBody(data=_typed(request)))
        wanted = Wanted(is_active="is_active" in request.POST, **given)
        change_channel(actor=actor, channel=channel, wanted=wanted)
        return Done(_("Saved"))

    def do_test(self, actor: Member, request: HttpRequest) -> Done:
        """Asks the provider who we are to it; changes nothing."""
        channel = _of(actor, request)
        try:
            found = client_for(channel).check_connection()
        except ProviderError as refused:
            raise NotConnected(f"{channel.name}: {refused.message}") from None
        about = ", ".join(part for part in (found.name, found.phone, found.account) if part)
        return Done(_("%(name)s works: %(about)s") % {"name": channel.name, "about": about})


def _of(actor: Member, request: HttpRequest) -> Channel:
    check(actor, Action.MANAGE)
    rows = Channel.objects.filter(workspace_id=actor.workspace_id, slug=request.POST.get("channel", ""))
    channel = rows.first()
    if channel is None:
        raise NotFound
    return channel


def _typed(request: HttpRequest) -> dict[str, Any]:
    names = {name for kept in SECRETS.values() for name in kept}
    secrets = {name: value for name in sorted(names) if (value := request.POST.get(name, "").strip())}
    return {**typed(request, "name", "identifier", "phone"), "secrets": secrets}


def _shown(row: Channel, request: HttpRequest) -> dict[str, Any]:
    """Of a secret no more than whether there is one."""
    held = row.credentials
    return {
        "slug": row.slug,
        "kind": row.kind,
        "kind_word": row.get_kind_display(),
        "name": row.name,
        "identifier": row.identifier,
        "identifier_word": IDENTIFIERS[row.kind],
        "phone": row.phone,
        "is_active": row.is_active,
        "secrets": [(name, WORDS[name], bool(held.get(name))) for name in SECRETS.get(row.kind, {})],
        "address": f"{settings.PUBLIC_URL}/webhooks/{row.kind}/{row.slug}" if has_provider(row.kind) else "",
        "testable": has_provider(row.kind),
        "open": request.POST.get("channel") == row.slug,
    }
