"""Invitations, API keys and the audit log. Keys and links were shown once; here stand their beginnings at most."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy

from crm.admin.base import CrmAdmin
from crm.models import ApiKey, AuditEntry, Invitation


@admin.register(Invitation)
class InvitationAdmin(CrmAdmin):
    list_display = ("email", "workspace", "role", "invited_by", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("workspace", "invited_by")
    list_filter = ("role",)


@admin.register(ApiKey)
class ApiKeyAdmin(CrmAdmin):
    list_display = ("name", "prefix", "workspace", "created_by", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("workspace", "created_by")


@admin.register(AuditEntry)
class AuditEntryAdmin(CrmAdmin):
    """Never altered, by nobody."""

    list_display = ("at", "workspace", "actor_kind", "actor_name", "action", "target_kind", "target_id")
    list_select_related = ("workspace",)
    search_fields = ("id",)
    search_help_text = lazy("The number of an entry")
    texts = ("detail",)
