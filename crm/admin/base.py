"""What the admin of every app with workspaces shares: who acts there, and what is never shown."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from config.admin.base import NEVER_SHOWN, Admin
from crm.actors import System
from crm.encryption import EncryptedJSONField
from crm.models import User

NEVER_SHOWN.append(EncryptedJSONField)

IN_WORKSPACE = ("workspace", AutocompleteSelectFilter)


class CrmAdmin(Admin):
    """Tables that may point to a workspace: it comes along with the row, and is chosen by its name."""

    list_filter: Any = ()

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """The workspace first, wherever there is one: with it every other filter is quick."""
        own = list(self.list_filter)
        has_workspace = any(field.name == "workspace" for field in self.model._meta.concrete_fields)
        return [IN_WORKSPACE, *own] if has_workspace else own


def admin_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the site lets nobody else in
    return request.user


def acting_in(request: HttpRequest, workspace_id: UUID) -> System:
    """A platform admin is no member: the workspace's log names them as what they are."""
    return System(workspace_id, f"platform admin {admin_of(request).display_name}")
