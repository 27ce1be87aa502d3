"""Invitations, API keys and the audit log. Keys and links were shown once; here stand their beginnings at most."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import FieldTextFilter

from config.admin.base import each
from crm.admin.base import CrmAdmin, acting_in
from crm.models import ApiKey, AuditEntry, Invitation
from crm.services import api_keys, invitations


@admin.register(Invitation)
class InvitationAdmin(CrmAdmin):
    list_display = ("email", "workspace", "role", "invited_by", "expires_at", "accepted_at", "revoked_at")
    list_select_related = ("workspace", "invited_by")
    list_filter = ("role",)
    actions = ("revoke",)

    @admin.action(description=lazy("Revoke"))
    @each(done=lambda n: ngettext("%(n)d invitation is revoked.", "%(n)d invitations are revoked.", n) % {"n": n})
    def revoke(self, request: HttpRequest, invitation: Invitation) -> None:
        actor = acting_in(request, invitation.workspace_id)
        invitations.revoke_invitation(actor=actor, invitation_id=invitation.pk)


@admin.register(ApiKey)
class ApiKeyAdmin(CrmAdmin):
    list_display = ("name", "prefix", "workspace", "created_by", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("workspace", "created_by")
    actions = ("revoke",)

    @admin.action(description=lazy("Revoke: refused from now on"))
    @each(done=lambda n: ngettext("%(n)d key is revoked.", "%(n)d keys are revoked.", n) % {"n": n})
    def revoke(self, request: HttpRequest, key: ApiKey) -> None:
        api_keys.revoke_key(actor=acting_in(request, key.workspace_id), key_id=key.pk)


@admin.register(AuditEntry)
class AuditEntryAdmin(CrmAdmin):
    """Never altered, by nobody."""

    list_display = ("at", "workspace", "actor_kind", "actor_name", "action", "target_kind", "target_id")
    list_select_related = ("workspace",)
    list_filter = (("action", FieldTextFilter), ("target_kind", FieldTextFilter))
    search_fields = ("id",)
    search_help_text = lazy("The number of an entry")
    texts = ("detail",)
