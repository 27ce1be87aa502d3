"""Whether the rail has an entry to exams."""

from collections.abc import Mapping
from typing import Any

from django import template

from crm.roles import Action
from proctoring.access import current_tutors

register = template.Library()


@register.simple_tag
def has_exams(state: Mapping[str, Any] | str) -> bool:
    """For whoever supervises one in this workspace; those who do nothing but supervise always have it."""
    if not isinstance(state, Mapping) or "workspace" not in state:
        return False
    able = state["workspace"].get("can", ())
    if Action.PROCTOR.value not in able:
        return False
    if Action.READ_INBOX.value not in able:
        return True
    mine = current_tutors().filter(user_id=state["me"]["id"], exam__workspace__slug=state["workspace"]["slug"])
    return mine.exists()
