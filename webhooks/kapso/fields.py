"""Tolerant readers for single fields: what is missing or of the wrong kind is None, and nothing here raises."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from webhooks.kapso.items import WhoIs

Fields = Mapping[str, Any]
# Longer than any id seen, and what the columns take.
ID_LIMIT = 255
NAME_LIMIT = 200
# Before WhatsApp existed, or so far ahead that a clock is broken: as good as no time.
EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_MILLISECONDS_FROM = 1e11  # as seconds, the year 5138
_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
_E164 = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)
_WA_ID_LIMIT = 32
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


def bsuid(value: Any) -> str | None:
    found = name_or_id(value)
    return found if found and not found[0].isdigit() and _BSUID.fullmatch(found) else None


def digits(value: Any) -> str | None:
    """A number as WhatsApp writes it: with a plus, without, or dressed for reading. A user id is not a number."""
    if bsuid(value):
        return None
    found = re.sub(r"[^0-9]", "", name_or_id(value) or "")
    return found if 0 < len(found) <= _WA_ID_LIMIT else None


def phone(number: str | None) -> str | None:
    """E.164 by shape alone. A library's verdict would refuse real ids: Mexican ones are "impossible" to it."""
    return f"+{number}" if number and _E164.fullmatch(number) else None


def who(*, numbers: tuple[Any, ...], ids: tuple[Any, ...], usernames: tuple[Any, ...], names: tuple[Any, ...]) -> WhoIs:
    """The first usable of each; an id in a number's place counts as the id it is."""
    number = _number(numbers)
    return WhoIs(
        phone=phone(number),
        wa_id=number,
        bsuid=_bsuid(numbers, ids),
        username=_shown(usernames),
        name=_shown(names),
    )


def key_of(*, numbers: tuple[Any, ...], ids: tuple[Any, ...]) -> str:
    """`who(...).key` for who needs no more of them."""
    return _bsuid(numbers, ids) or _number(numbers) or ""


# Lazily: nearly always the first place has it, and this is asked of every delivery before it is answered.
def _number(numbers: tuple[Any, ...]) -> str | None:
    return next(filter(None, map(digits, numbers)), None)


def _bsuid(numbers: tuple[Any, ...], ids: tuple[Any, ...]) -> str | None:
    return next(filter(None, map(bsuid, (*ids, *numbers))), None)


def _shown(values: tuple[Any, ...]) -> str | None:
    found = next(filter(None, map(name_or_id, values)), None)
    return found[:NAME_LIMIT] if found else None
