"""The section of /settings for web chats."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.errors import NotFound
from crm.actors import Member
from crm.api.base import StrictSerializer, checked
from crm.roles import Action
from crm.sections.base import Done, Section, section
from inbox.chats.proof import MOST_BITS
from inbox.chats.widgets import EMAIL_AFTER_SECONDS, QUESTIONS_AT_MOST, as_colour, is_origin
from inbox.models import Channel
from inbox.services.chats.settings import (
    change_widget,
    drop_old_identity_secret,
    held_secrets,
    renew_identity_secret,
)
from inbox.states import ChannelKind

ORIGINS_AT_MOST = 50
SWITCHES = {
    # name: what it is where nothing is set
    "continue_by_email": False,
    "rating": True,
    "files": True,
    "send_read_receipts": True,
}
KINDS = {"name": _("Their name"), "email": _("Their e-mail"), "other": _("Something else")}
PROOFS = {0: _("Nothing"), 16: _("A quarter of a second"), 18: _("About a second"), 20: _("About four seconds")}


class WidgetBody(StrictSerializer):
    origins = serializers.ListField(child=serializers.CharField(max_length=250), max_length=ORIGINS_AT_MOST)
    greeting = serializers.CharField(max_length=500, allow_blank=True)
    accent = serializers.RegexField(r"^(#[0-9a-fA-F]{6})?$", allow_blank=True)
    questions = serializers.ListField(child=serializers.DictField())
    email_after = serializers.IntegerField(min_value=0, max_value=86_400)
    proof_bits = serializers.IntegerField(min_value=0, max_value=MOST_BITS)
    continue_by_email = serializers.BooleanField()
    rating = serializers.BooleanField()
    files = serializers.BooleanField()
    send_read_receipts = serializers.BooleanField()

    def validate_origins(self, value: list[str]) -> list[str]:
        for origin in value:
            if not is_origin(origin):
                raise serializers.ValidationError(f"{origin} is no origin: https://shop.example, without a path.")
        return [origin.rstrip("/").lower() for origin in value]

    def validate_questions(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        names = [one["name"] for one in value]
        if len(set(names)) != len(names):
            raise serializers.ValidationError("Ask each thing once.")
        return value


@section
class WebChat(Section):
    key, title, icon, needs = "web-chat", _("Web chat"), "channel-widget", Action.MANAGE
    place, template = 6, "settings/web_chat.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = list(Channel.objects.filter(workspace_id=actor.workspace_id, kind=ChannelKind.WIDGET).order_by("name"))
        asked = request.POST.get("channel") or request.GET.get("channel", "")
        chosen = next((row for row in rows if row.slug == asked), rows[0] if rows else None)
        return {"channels": rows, "channel": chosen, **(_shown(chosen, request) if chosen else {})}

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(WidgetBody(data=_typed(request)))
        channel = change_widget(actor=actor, channel_id=_channel_id(actor, request), settings=given)
        return _done(request, channel, _("Saved"))

    def do_renew(self, actor: Member, request: HttpRequest) -> Done:
        channel_id = _channel_id(actor, request)
        secret = renew_identity_secret(actor=actor, channel_id=channel_id)
        return Done(_("Made"), {"secret": secret})

    def do_drop(self, actor: Member, request: HttpRequest) -> Done:
        channel = drop_old_identity_secret(actor=actor, channel_id=_channel_id(actor, request))
        return _done(request, channel, _("The old secret is gone"))


def _done(request: HttpRequest, channel: Channel, word: Any) -> Done:
    """Back to the channel it was about."""
    kept = {"workspace": request.GET["workspace"]} if request.GET.get("workspace") else {}
    return Done(word, to=f"/settings/web-chat?{urlencode({**kept, 'channel': channel.slug, 'done': str(word)})}")


def _channel_id(actor: Member, request: HttpRequest) -> UUID:
    rows = Channel.objects.filter(workspace_id=actor.workspace_id, kind=ChannelKind.WIDGET)
    found = rows.filter(slug=request.POST.get("channel", "")).values_list("pk", flat=True).first()
    if found is None:
        raise NotFound
    return found


def _typed(request: HttpRequest) -> dict[str, Any]:
    posted = request.POST
    return {
        "origins": [line.strip() for line in posted.get("origins", "").splitlines() if line.strip()],
        "greeting": posted.get("greeting", "").strip(),
        "accent": posted.get("accent", "").strip().lower() if "accent_on" in posted else "",
        "questions": [question for place in range(QUESTIONS_AT_MOST) if (question := _question(request, place))],
        "email_after": posted.get("email_after", ""),
        "proof_bits": posted.get("proof_bits", "0"),
        **{name: name in posted for name in SWITCHES},
    }


def _question(request: HttpRequest, place: int) -> dict[str, Any] | None:
    """An empty line asks nothing. The answer to something else is kept under what was asked."""
    label, kind = (request.POST.get(f"{name}_{place}", "").strip() for name in ("label", "kind"))
    if not label:
        return None
    name = kind if kind in ("name", "email") else (slugify(label, allow_unicode=True) or label)[:40]
    return {"name": name, "label": label[:120], "required": f"required_{place}" in request.POST}


def _shown(channel: Channel, request: HttpRequest) -> dict[str, Any]:
    """As it is, or as it was just typed where that was refused."""
    said = {**channel.settings, **(_typed(request) if request.POST.get("do") == "save" else {})}
    asked = said.get("questions") or []
    return {
        "origins": "\n".join(said.get("origins") or []),
        "greeting": said.get("greeting", ""),
        "accent": said.get("accent", ""),
        "email_after": said.get("email_after", EMAIL_AFTER_SECONDS),
        "proof_bits": said.get("proof_bits", 0),
        "proofs": PROOFS.items(),
        "kinds": KINDS.items(),
        "questions": [_row(place, asked[place] if place < len(asked) else {}) for place in range(QUESTIONS_AT_MOST)],
        "switches": {name: bool(said.get(name, default)) for name, default in SWITCHES.items()},
        "secrets": len(held_secrets(channel)),
        "line": _line(channel),
    }


def _line(channel: Channel) -> str:
    """With the colour that the button has until the chat has told it."""
    accent = f' data-accent="{colour}"' if (colour := as_colour(channel.settings.get("accent"))) else ""
    return f'<script src="{settings.PUBLIC_URL}/widget.js" data-channel="{channel.slug}"{accent} async></script>'


def _row(place: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    name = asked.get("name", "")
    kind = name if name in ("name", "email") else "other"
    return {"place": place, "label": asked.get("label", ""), "kind": kind, "required": asked.get("required") is True}
