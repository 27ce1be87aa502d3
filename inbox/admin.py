"""Channels, conversations and messages in Django admin. What people wrote is not shown: who may read it reads it in
the inbox."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminPasswordWidget

from config.admin.base import register_rest
from crm.admin.base import CrmAdmin, acting_in, admin_of
from inbox.models import (
    Attachment,
    Channel,
    Conversation,
    Message,
    MessageReceipt,
    MessageTemplate,
    OptOut,
    Participant,
    Visitor,
)
from inbox.services.channels import SECRETS, Wanted, change_channel, create_channel

NAMES = sorted({name for names in SECRETS.values() for name in names})


def _secret(label: Any) -> forms.CharField:
    """Write-only: never filled in, and left empty it changes nothing."""
    return forms.CharField(
        label=label,
        required=False,
        max_length=500,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False),
        help_text=lazy("Left empty, what is kept stays. A new one counts at once; the one before it stays good."),
    )


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    api_key = _secret(lazy("New API key (Kapso)"))
    webhook_secrets = _secret(lazy("New webhook secret (Kapso)"))
    app_secrets = _secret(lazy("New app secret (Meta)"))
    verify_tokens = _secret(lazy("New verify token (Meta)"))
    auth_tokens = _secret(lazy("New auth token (Twilio)"))

    class Meta:
        model = Channel
        fields = ("workspace", "slug", "kind", "name", "identifier", "phone", "is_active")


@admin.register(Channel)
class ChannelAdmin(CrmAdmin):
    form = ChannelForm
    list_display = ("slug", "name", "kind", "workspace", "phone", "is_active", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("kind", "is_active")
    search_fields = ("id", "slug", "identifier", "phone")
    search_help_text = lazy("The whole name in its address, its number or its id")
    autocomplete_fields = ("workspace",)
    editable = ("name", "identifier", "phone", "is_active")
    texts = ("settings",)
    can_add = True

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[str]:
        known = ["workspace", "slug", "kind", *self.editable]
        if obj is None:
            return [*known, *NAMES]
        return [*known, *SECRETS.get(obj.kind, {}), "settings", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[str]:
        return [] if obj is None else ["workspace", "slug", "kind", "settings", "created_at"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The secrets are the form's own, no columns."""
        kwargs["fields"] = ["name", "identifier", "phone", "is_active", *([] if obj else ["workspace", "slug", "kind"])]
        made = super().get_form(request, obj, change, **kwargs)
        for name in NAMES if obj is not None else ():
            if name not in SECRETS.get(obj.kind, {}):
                made.base_fields.pop(name, None)
        return made

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        given = form.cleaned_data
        wanted = Wanted(
            name=given["name"],
            identifier=given["identifier"],
            phone=given["phone"],
            is_active=given["is_active"],
            secrets={name: given.get(name, "") for name in NAMES},
        )
        by, actor = admin_of(request), acting_in(request, obj.workspace_id)
        if change:
            change_channel(by=by, actor=actor, channel=obj, wanted=wanted)
        else:
            obj.pk = create_channel(by=by, actor=actor, slug=given["slug"], kind=given["kind"], wanted=wanted).pk


@admin.register(Conversation)
class ConversationAdmin(CrmAdmin):
    list_display = ("id", "workspace", "channel", "scope", "status", "assignee", "last_activity_at", "deleted_at")
    list_select_related = ("workspace", "channel", "assignee")
    list_filter = ("status", "scope", ("assignee", AutocompleteSelectFilter))
    search_fields = ("id", "supabase_id", "contact")
    search_help_text = lazy("The id of a conversation or of a contact")
    hidden = ("peer_address", "rating_comment")


@admin.register(Message)
class MessageAdmin(CrmAdmin):
    list_display = ("id", "workspace", "direction", "type", "status", "error_code", "created_at", "deleted_at")
    list_select_related = ("workspace",)
    list_filter = ("direction", "status")
    search_fields = ("id", "supabase_id", "conversation")
    search_help_text = lazy("The id of a message or of a conversation")


@admin.register(MessageReceipt)
class MessageReceiptAdmin(CrmAdmin):
    list_display = ("id", "channel", "status", "at", "error_code", "received_at")
    list_select_related = ("channel",)
    list_filter = ()


@admin.register(Attachment)
class AttachmentAdmin(CrmAdmin):
    list_display = ("id", "workspace", "kind", "content_type", "size", "state", "error_code", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("state",)
    search_fields = ("id", "message")
    hidden = ("storage_name", "name")


@admin.register(MessageTemplate)
class MessageTemplateAdmin(CrmAdmin):
    list_display = ("name", "language", "channel", "category", "status", "synced_at")
    list_select_related = ("channel",)
    list_filter = ("status",)
    texts = ("components", "variables")


@admin.register(OptOut)
class OptOutAdmin(CrmAdmin):
    list_display = ("id", "channel", "sender", "keyword", "opted_out_at", "opted_in_at")
    list_select_related = ("channel",)


@admin.register(Participant)
class ParticipantAdmin(CrmAdmin):
    list_display = ("id", "conversation", "role", "user", "visitor", "created_at")
    list_select_related = ("conversation", "user", "visitor")
    search_fields = ("id", "conversation", "user", "visitor")


@admin.register(Visitor)
class VisitorAdmin(CrmAdmin):
    list_display = ("id", "channel", "contact", "last_seen_at", "expires_at", "revoked_at")
    list_select_related = ("channel", "contact")
    search_fields = ("id", "contact")


register_rest(apps.get_app_config("inbox").get_models(), CrmAdmin)
