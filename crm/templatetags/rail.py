"""The marks of the frame around every page."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.template import Context

from crm import rail

register = template.Library()


@register.simple_tag(takes_context=True)
def rail_marks(context: Context) -> Mapping[str, Any]:
    """Read once for a page, however many parts of the frame ask; empty where nobody is signed in."""
    state, request = context.get("state"), context.get("request")
    if not isinstance(state, Mapping) or "workspace" not in state or "me" not in state:
        return {}
    if request is None:
        return rail.read(state)
    if not hasattr(request, "rail_marks"):
        request.rail_marks = rail.read(state)
    return request.rail_marks  # type: ignore[no-any-return]
