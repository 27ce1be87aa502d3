"""Whether a value is of the type that the workspace gave to one of its own fields."""

from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

from crm.models import AttributeDefinition, AttributeType

LONGEST_TEXT = 2000
LONGEST_URL = 2000
LARGEST_NUMBER = 10**15


def problem_with(definition: AttributeDefinition, value: object) -> str | None:
    """A sentence when the value is not of the attribute's type."""
    if definition.type == AttributeType.CHOICE:
        return None if value in definition.choices else f"One of: {', '.join(definition.choices)}."
    fits, sentence = _TYPES[AttributeType(definition.type)]
    return None if fits(value) else sentence


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and "\x00" not in value


def _is_number(value: object) -> bool:
    """Nothing that filters could not compare (crm/filters/values.py): a file's digits may go on and on."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_url(value: object) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_URL or not value.isprintable():
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


_TYPES: dict[AttributeType, tuple[Callable[[object], bool], str]] = {
    AttributeType.TEXT: (_is_text, f"A text of at most {LONGEST_TEXT:,} characters."),
    AttributeType.NUMBER: (_is_number, "A number."),
    AttributeType.DATE: (_is_date, "A date as YYYY-MM-DD."),
    AttributeType.BOOLEAN: (lambda value: isinstance(value, bool), "true or false."),
    AttributeType.URL: (_is_url, "An address that begins with http:// or https://."),
}
