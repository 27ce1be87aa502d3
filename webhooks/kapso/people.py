"""Who is meant: WhatsApp's numbers and user ids, read as tolerantly as any field."""

import re
from typing import Any

from webhooks.fields import NAME_LIMIT, name_or_id
from webhooks.kapso.items import WhoIs

_BSUID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}", re.ASCII)
_E164 = re.compile(r"[1-9][0-9]{6,14}", re.ASCII)
_WA_ID_LIMIT = 32


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
