"""Tolerant readers for single fields: what is missing or of the wrong kind is None, and nothing here raises."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Fields = Mapping[str, Any]
# Longer than any id seen, and what the columns take.
ID_LIMIT = 255
NAME_LIMIT = 200
# Before WhatsApp existed, or so far ahead that a clock is broken: as good as no time.
EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 1e11  # as seconds, the year 5138
_OBJECTS = (dict, Mapping)  # a dict first: nearly all are, and asking for a Mapping costs ten times as much


def fields(value: Any) -> Fields:
    return value if isinstance(value, _OBJECTS) else {}


def objects(value: Any) -> Iterator[Fields]:
    """The objects in what should be a list of them."""
    return (entry for entry in value if isinstance(entry, Mapping)) if isinstance(value, list) else iter(())


def name_or_id(value: Any) -> str | None:
    """Text without the space around it; ids sometimes come as numbers. Empty is None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else None


def identifier(value: Any) -> str | None:
    found = name_or_id(value)
    return found if found and len(found) <= ID_LIMIT else None


def first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def moment(value: Any) -> datetime | None:
    """Epoch seconds (a string, as documented, or a number), milliseconds, or ISO 8601."""
    raw = name_or_id(value) if not isinstance(value, float) else str(value)
    if raw is None:
        return None
    try:
        found = _from_epoch(float(raw)) if re.fullmatch(r"[0-9]{1,16}(\.[0-9]+)?", raw) else datetime.fromisoformat(raw)
    except (ValueError, OverflowError, OSError):
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found.astimezone(UTC) if EARLIEST <= found <= LATEST else None


def _from_epoch(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds, UTC)
