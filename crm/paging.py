"""Lists by cursor: keyset pages over any ordered queryset, one query a page, however deep."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Model, Q, QuerySet
from django.db.models.expressions import OrderBy

from config.errors import Invalid

M = TypeVar("M", bound=Model)
R = TypeVar("R")
DEFAULT_LIMIT = 50
MOST = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    rows: list[R]
    next: str | None  # cursors, not URLs
    previous: str | None


def page(
    rows: "QuerySet[M]",
    order: tuple[str, ...],
    *,
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    empty_last: frozenset[str] = frozenset(),
    kept_last: frozenset[str] = frozenset(),
    read: "Callable[[QuerySet[Any, Any]], list[Any]] | None" = None,
) -> Page[Any]:
    """`order` names fields, all in one direction, the last of them unique: ("-last_activity_at", "-id").

    They are never null, but for those in `empty_last`: those go down, and the empty ones come last.
    `kept_last` are not null in `rows`, but their index has the empty ones last: unless that is said, it does not serve.
    `read` makes mappings with those fields of their `values`; without it the rows are models.
    """
    descending = order[0].startswith("-")
    fields = [name.lstrip("-") for name in order]
    columns = [_column(rows, name, name in empty_last, name in kept_last) for name in fields]
    backwards, position = _read(cursor, columns) if cursor else (False, None)
    down = descending is not backwards
    if position is not None:
        rows = rows.filter(_beyond(columns, position, "lt" if down else "gt"))
    rows = rows.order_by(*(_ordered(column, down=down) for column in columns))
    found = read(rows.values(*fields)[: limit + 1]) if read else list(rows[: limit + 1])
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


def first_page(found: list[M], order: tuple[str, ...], *, limit: int) -> Page[M]:
    """As `page`, of rows that were asked for in that order already: one more than the limit, if there are."""
    fields = [name.lstrip("-") for name in order]
    rows = found[:limit]
    return Page(
        rows=rows, next=_write(rows[-1], fields, backwards=False) if len(found) > limit else None, previous=None
    )


@dataclass(frozen=True, slots=True)
class _Column:
    name: str  # may lead through a relation: memory__last_message_at
    field: "Field[Any, Any]"
    nullable: bool
    kept_last: bool


def _column(rows: "QuerySet[M]", name: str, nullable: bool, kept_last: bool) -> _Column:
    if name in rows.query.annotations:
        return _Column(name, rows.query.annotations[name].output_field, nullable, kept_last)
    *way, last = name.split("__")
    model: type[Model] = rows.model
    for step in way:
        model = model._meta.get_field(step).related_model  # type: ignore[assignment]  # a relation
    field: Field[Any, Any] = model._meta.get_field(last)  # type: ignore[assignment]  # a column of its own
    return _Column(name, field, nullable, kept_last)


def _ordered(column: _Column, *, down: bool) -> OrderBy:
    if not (column.nullable or column.kept_last):
        return F(column.name).desc() if down else F(column.name).asc()
    return F(column.name).desc(nulls_last=True) if down else F(column.name).asc(nulls_first=True)


def _beyond(columns: list[_Column], position: list[Any], side: str) -> Q:
    """(a, b) < (x, y) spelled so that the planner walks the index: a <= x and (a < x or (a = x and b < y))."""
    condition = Q(**{f"{columns[-1].name}__{side}": position[-1]})
    for column, value in zip(columns[-2::-1], position[-2::-1], strict=True):
        name = column.name
        if column.nullable:
            condition = _beyond_nullable(name, value, side, condition)
        else:
            condition = Q(**{f"{name}__{side}e": value}) & (
                Q(**{f"{name}__{side}": value}) | (Q(**{name: value}) & condition)
            )
    return condition


def _beyond_nullable(name: str, value: Any, side: str, among_equals: Q) -> Q:
    """The empty ones stand below all others."""
    empty = Q(**{f"{name}__isnull": True})
    if value is None:
        return empty & among_equals if side == "lt" else ~empty | (empty & among_equals)
    further = Q(**{f"{name}__{side}": value}) | (Q(**{name: value}) & among_equals)
    return further | empty if side == "lt" else further


def _write(row: "Model | Mapping[str, Any]", fields: list[str], *, backwards: bool) -> str:
    values = [None if (value := _value(row, name)) is None else str(value) for name in fields]
    return base64.urlsafe_b64encode(json.dumps([int(backwards), *values]).encode()).decode().rstrip("=")


def _value(row: "Model | Mapping[str, Any]", name: str) -> Any:
    if isinstance(row, Mapping):
        return row[name]
    value: Any = row
    for step in name.split("__"):
        value = getattr(value, step)
    return value


def _read(cursor: str, columns: list[_Column]) -> tuple[bool, list[Any]]:
    try:
        backwards, *values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return bool(backwards), [_typed(column, value) for column, value in zip(columns, values, strict=True)]
    except (ValueError, TypeError, ValidationError, binascii.Error):
        raise Invalid("The cursor is not one of ours.", errors={"cursor": "Start again without it."}) from None


def _typed(column: _Column, text: object) -> Any:
    """As the column holds it. A number that fits no column, or a time without its zone, is none of ours."""
    if text is None and column.nullable:
        return None
    if not isinstance(text, str) or "\x00" in text:
        raise TypeError
    value = column.field.to_python(text)
    column.field.run_validators(value)
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
