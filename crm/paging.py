"""Lists by cursor: keyset pages over any ordered queryset, one query a page, however deep."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Model, Q, QuerySet

from config.errors import Invalid

M = TypeVar("M", bound=Model)
DEFAULT_LIMIT = 50
MOST = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    rows: list[M]
    next: str | None  # cursors, not URLs
    previous: str | None


def page(
    rows: "QuerySet[M]", order: tuple[str, ...], *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[M]:
    """`order` names non-null fields, all in one direction, the last of them unique: ("-last_activity_at", "-id")."""
    descending = order[0].startswith("-")
    fields = [name.lstrip("-") for name in order]
    columns = [_column(rows, name) for name in fields]
    backwards, position = _read(cursor, columns) if cursor else (False, None)
    down = descending is not backwards
    if position is not None:
        rows = rows.filter(_beyond(fields, position, "lt" if down else "gt"))
    found = list(rows.order_by(*(F(name).desc() if down else F(name).asc() for name in fields))[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    if backwards:
        found.reverse()
    has_next = more if not backwards else True
    has_previous = more if backwards else position is not None
    return Page(
        rows=found,
        next=_write(found[-1], fields, backwards=False) if found and has_next else None,
        previous=_write(found[0], fields, backwards=True) if found and has_previous else None,
    )


def _column(rows: "QuerySet[M]", name: str) -> "Field[Any, Any]":
    field: Field[Any, Any] = rows.model._meta.get_field(name)  # type: ignore[assignment]  # a column of its own
    return field


def _beyond(fields: list[str], position: list[Any], side: str) -> Q:
    """(a, b) < (x, y) spelled so that the planner walks the index: a <= x and (a < x or (a = x and b < y))."""
    condition = Q(**{f"{fields[-1]}__{side}": position[-1]})
    for name, value in zip(fields[-2::-1], position[-2::-1], strict=True):
        condition = Q(**{f"{name}__{side}e": value}) & (
            Q(**{f"{name}__{side}": value}) | (Q(**{name: value}) & condition)
        )
    return condition


def _write(row: Model, fields: list[str], *, backwards: bool) -> str:
    values = [str(getattr(row, name)) for name in fields]
    return base64.urlsafe_b64encode(json.dumps([int(backwards), *values]).encode()).decode().rstrip("=")


def _read(cursor: str, columns: "list[Field[Any, Any]]") -> tuple[bool, list[Any]]:
    try:
        backwards, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return bool(backwards), [_typed(field, value) for field, value in zip(columns, values, strict=True)]
    except (ValueError, TypeError, ValidationError, binascii.Error):
        raise Invalid("The cursor is not one of ours.", errors={"cursor": "Start again without it."}) from None


def _typed(field: "Field[Any, Any]", text: object) -> Any:
    """As the column holds it. A number that fits no column, or a time without its zone, is none of ours."""
    if not isinstance(text, str):
        raise TypeError
    value = field.to_python(text)
    field.run_validators(value)
    if value is None or (isinstance(value, datetime) and value.tzinfo is None):
        raise ValueError
    return value


def read_limit(raw: str | None) -> int:
    if not raw:
        return DEFAULT_LIMIT
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw) <= MOST:
        raise Invalid(errors={"limit": f"A whole number from 1 to {MOST}."})
    return int(raw)


def link(path: str, query: Mapping[str, str], cursor: str | None) -> str | None:
    return f"{path}?{urlencode({**query, 'cursor': cursor})}" if cursor else None
