"""How the admin words what is measured."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def span(of: timedelta) -> str:
    """`15 s`, `3 min`, `6 h`, `1 d`: the largest unit that it fills."""
    seconds = max(0, round(of.total_seconds()))
    for size, word in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"


def milliseconds(of: timedelta) -> str:
    return f"{of.total_seconds() * 1000:,.0f} ms"


def statistics(of: Mapping[str, Any] | None) -> str:
    """What a run of a cron counted; marks that it keeps for its next one are nobody's to read."""
    counted = {name: value for name, value in (of or {}).items() if isinstance(value, int | float)}
    return ", ".join(f"{name} {_number(value)}" for name, value in counted.items())


def _number(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}"
