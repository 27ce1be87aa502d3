"""What the admin of every app with workspaces shares: who acts there, and what is never shown."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter

from config.admin.base import NEVER_SHOWN, Admin
from crm.actors import System
from crm.encryption import EncryptedJSONField
from crm.models import User, Workspace

NEVER_SHOWN.append(EncryptedJSONField)

IN_WORKSPACE = ("workspace", AutocompleteSelectFilter)


MOST_LISTED = 500  # workspaces


class ByWorkspaceId(DropdownFilter):  # type: ignore[misc]  # unfold has no types
    """For tables that carry a plain id, and outlive the workspace."""

    title = lazy("workspace")
    parameter_name = "workspace"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = Workspace.objects.order_by("slug").values_list("pk", "slug")[:MOST_LISTED]
        return [(str(pk), slug) for pk, slug in rows]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        try:
            return queryset.filter(workspace_id=UUID(self.value() or ""))
        except ValueError:
            return queryset


class CrmAdmin(Admin):
    """Tables that may point to a workspace: it comes along with the row, and is chosen by its name."""

    list_filter: Any = ()

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """The workspace first, wherever there is one: with it every other filter is quick."""
        own = super().get_list_filter(request)
        names = {field.name for field in self.model._meta.concrete_fields}
        if "workspace" in names:
            return [IN_WORKSPACE, *own]
        return [ByWorkspaceId, *own] if "workspace_id" in names else own


def admin_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the site lets nobody else in
    return request.user


def acting_in(request: HttpRequest, workspace_id: UUID) -> System:
    """A platform admin is no member: the workspace's log names them as what they are."""
    return System(workspace_id, f"platform admin {admin_of(request).display_name}")
