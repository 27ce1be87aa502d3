"""What pages say of the workspace's own bill."""

from collections.abc import Mapping
from typing import Any

from django import template

from crm import billing
from crm.roles import Action

register = template.Library()


@register.simple_tag
def is_past_due(workspace: Mapping[str, Any] | str) -> bool:
    """Told to those alone who manage the workspace. Whoever is a page's `state.workspace`; "" where there is none."""
    if not isinstance(workspace, Mapping) or Action.MANAGE.value not in workspace.get("can", ()):
        return False
    return billing.is_past_due(workspace["slug"])
