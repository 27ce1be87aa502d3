"""What a condition may say, read and checked. Wrong has the sentence where it means nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from crm.actors import Actor, System
from crm.models import AttributeDefinition
from crm.values import LARGEST_NUMBER

MOST_VALUES = 200
LONGEST = 200  # characters of one value


class Wrong(Exception):
    """A sentence about one condition."""


Definitions = dict[str, AttributeDefinition]


@dataclass(slots=True)
class Reader:
    actor: Actor
    definitions: Definitions
    fields: Mapping[str, "Operators"]
    now: datetime = field(default_factory=timezone.now)
    count: int = 0
    errors: dict[str, str] = field(default_factory=dict)


Build = Callable[[Reader, Any], Q]
Operators = Mapping[str, Build]


def text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > LONGEST or "\x00" in value:
        raise Wrong(f"A text of at most {LONGEST} characters.")
    return value


def texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise Wrong(f"A list of 1 to {MOST_VALUES} values.")
    return [text(one) for one in value]


def whole(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Wrong(f"A whole number from {least} to {most}.")
    return value


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
        raise Wrong("A number.")
    return value


def moment(value: Any) -> datetime:
    """A day begins at midnight in UTC."""
    try:
        found = parse_datetime(value) if isinstance(value, str) and len(value) > 10 else None
        day = parse_date(value) if isinstance(value, str) and not found else None
    except ValueError:
        found = day = None
    if day:
        found = datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone())
    if found is None:
        raise Wrong("A time as 2026-01-31T09:00:00Z, or a day.")
    return found if found.tzinfo else found.replace(tzinfo=timezone.get_default_timezone())


def person(reader: Reader, value: Any) -> UUID:
    if value == "me" and not isinstance(reader.actor, System):
        return reader.actor.user_id
    try:
        return UUID(text(value))
    except ValueError:
        raise Wrong("me, none or a member's id.") from None
