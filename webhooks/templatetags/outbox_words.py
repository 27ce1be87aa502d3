"""Numbers, spans and JSON as the outbox's templates write them."""

from collections.abc import Mapping
from typing import Any

import orjson
from django import template

from webhooks.outbox import rows

register = template.Library()

# A body beyond it would only make the page slow; REST gives it whole.
LONGEST_SHOWN = 64 * 1024
_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS


@register.filter
def capped(value: int, cap: int) -> str:
    return rows.number(value, cap)


@register.filter
def took(ms: int | None) -> str:
    return rows.took(ms)


@register.filter
def of_chip(figures: Mapping[str, Any], name: str) -> str:
    """How many there are of a state, where that is known."""
    known = {"failed": "failed", "retrying": "retrying", "waiting": "pending", "processing": "processing"}
    value = figures[known[name]] if name in known else 0
    return rows.number(value, figures["capped"]) if value else ""


@register.filter
def pretty(value: Any) -> str:
    return orjson.dumps(value, option=_PRETTY, default=str).decode()


@register.filter
def pretty_body(body: str) -> str:
    if len(body) > LONGEST_SHOWN:
        return body[:LONGEST_SHOWN] + "…"
    try:
        return pretty(orjson.loads(body))
    except orjson.JSONDecodeError:
        return body
