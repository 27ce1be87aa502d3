"""Users and how they are known. Their names and addresses are the identity provider's to change."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter

from config.admin.base import column, each
from crm.admin.base import CrmAdmin, admin_of
from crm.models import BrowserSession, IssuerAccount, User, UserIdentity
from crm.models.people import PLATFORM_ADMIN
from crm.services import roles


class PlatformAdmins(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    title = lazy("platform role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(PLATFORM_ADMIN, lazy("Platform admins"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(roles__contains=[PLATFORM_ADMIN]) if self.value() else queryset


class Deactivated(DropdownFilter):  # type: ignore[misc]
    title = lazy("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", lazy("Active")), ("deactivated", lazy("Deactivated"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() not in {"active", "deactivated"}:
            return queryset
        return queryset.filter(Q(deactivated_at__isnull=self.value() == "active"))


@admin.register(User)
class UserAdmin(CrmAdmin):
    list_display = ("display_name", "email", "is_admin", "is_in", "is_anonymous", "created_at")
    list_filter = (PlatformAdmins, Deactivated)
    search_fields = ("id", "email")
    search_help_text = lazy("A whole e-mail address or an id")
    actions = ("make_admin", "take_admin", "deactivate", "reactivate")

    @column(lazy("name"))
    def display_name(self, user: User) -> str:
        return user.display_name

    @column(lazy("platform admin"), boolean=True)
    def is_admin(self, user: User) -> bool:
        return user.is_platform_admin

    @column(lazy("active"), boolean=True)
    def is_in(self, user: User) -> bool:
        return user.is_active

    @admin.action(description=lazy("Make platform admin"))
    @each(
        done=lambda n: ngettext("%(n)d person is a platform admin.", "%(n)d people are platform admins.", n) % {"n": n}
    )
    def make_admin(self, request: HttpRequest, user: User) -> None:
        roles.grant_role(by=admin_of(request), user_id=user.pk, role=PLATFORM_ADMIN)

    @admin.action(description=lazy("Take platform admin away"))
    @each(
        done=lambda n: (
            ngettext("%(n)d person is no platform admin any more.", "%(n)d people are no platform admins any more.", n)
            % {"n": n}
        )
    )
    def take_admin(self, request: HttpRequest, user: User) -> None:
        roles.revoke_role(by=admin_of(request), user_id=user.pk, role=PLATFORM_ADMIN)

    @admin.action(description=lazy("Deactivate: signed out everywhere"))
    @each(done=lambda n: ngettext("%(n)d person is deactivated.", "%(n)d people are deactivated.", n) % {"n": n})
    def deactivate(self, request: HttpRequest, user: User) -> None:
        roles.deactivate_user(by=admin_of(request), user_id=user.pk)

    @admin.action(description=lazy("Reactivate"))
    @each(done=lambda n: ngettext("%(n)d person may sign in again.", "%(n)d people may sign in again.", n) % {"n": n})
    def reactivate(self, request: HttpRequest, user: User) -> None:
        roles.reactivate_user(by=admin_of(request), user_id=user.pk)


@admin.register(UserIdentity)
class UserIdentityAdmin(CrmAdmin):
    list_display = ("id", "user", "provider", "created_at", "removed_at", "barred_at")
    list_select_related = ("user",)
    search_fields = ("id", "user")


@admin.register(BrowserSession)
class BrowserSessionAdmin(CrmAdmin):
    """Its tokens are never shown. Deactivating the user ends them all."""

    list_display = ("id", "user", "created_at", "renewed_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("id", "user")


@admin.register(IssuerAccount)
class IssuerAccountAdmin(CrmAdmin):
    """Accounts of the issuer that stands in for Supabase in a demo."""

    list_display = ("user_id", "email", "banned", "created_at", "last_sign_in_at")
    search_fields = ("user_id",)
    hidden = ("password",)
