"""The number at the rail's entry to the outbox."""

from collections.abc import Mapping
from typing import Any

from django import template

from crm.roles import Action
from webhooks.outbox import figures

register = template.Library()


@register.simple_tag
def failed_jobs(workspace: Mapping[str, Any] | str) -> int | None:
    """None for those who don't manage the workspace: they have no such entry."""
    if not isinstance(workspace, Mapping) or Action.MANAGE.value not in workspace["can"]:
        return None
    return figures.count_failed(workspace["slug"])
