"""Rows that every message writes: the statement of a model is built once and run prepared. What the model's fields make
of their values (times of their own, JSON, secrets) is theirs as ever; nothing else of `save()` is wanted here."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault

from config.live import prepared

Fields = tuple["Field[Any, Any]", ...]


def insert(row: Model) -> bool:
    """False where a row with one of its unique keys is there already: that spares a savepoint for finding out."""
    sql, fields = _insertion(type(row))
    values = _values(row, fields, add=True)
    if not prepared.fetch(sql, values):
        return False
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return True


def insert_all(given: Sequence[Model]) -> set[Any]:
    """Of one model, in one statement. Answers the keys of those that are stored now; of the others a unique key is
    there already."""
    if not given:
        return set()
    sql, fields = _insertion_of_many(type(given[0]))
    columns = zip(*(_values(row, fields, add=True) for row in given), strict=True)
    stored = {key for (key,) in prepared.fetch(sql, [list(column) for column in columns])}
    for row in given:
        if row.pk in stored:
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return stored


def update(row: Model, names: Sequence[str]) -> None:
    """The fields of these names, of a row that is locked."""
    sql, fields = _change(type(row), tuple(names))
    values = _values(row, fields, add=False)
    if not prepared.fetch(sql, [*values, row.pk]):
        raise DatabaseError("The row is not there.")


def _values(row: Model, fields: Fields, *, add: bool) -> list[Any]:
    own = connections[DEFAULT_DB_ALIAS]  # found once: every field asks it something
    values = []
    for field in fields:
        value = field.pre_save(row, add)
        if isinstance(value, DatabaseDefault):
            raise TypeError(f"{field.name} is for the database to fill in: say it, or save() the row")
        values.append(None if value is None else field.get_db_prep_save(value, own))
    return values


@cache
def _insertion(model: type[Model]) -> tuple[str, Fields]:
    fields = tuple(model._meta.local_concrete_fields)
    columns = ", ".join(_quoted(field.column) for field in fields)
    table, marks = _quoted(model._meta.db_table), ", ".join(["%s"] * len(fields))
    return f"insert into {table} ({columns}) values ({marks}) on conflict do nothing returning 1", fields  # noqa: S608


@cache
def _insertion_of_many(model: type[Model]) -> tuple[str, Fields]:
    fields = tuple(model._meta.local_concrete_fields)
    columns = ", ".join(_quoted(field.column) for field in fields)
    arrays = ", ".join(
        f"%s::{field.rel_db_type(connection) if field.is_relation else field.db_type(connection)}[]" for field in fields
    )
    table, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    sql = f"insert into {table} ({columns}) select * from unnest({arrays}) on conflict do nothing returning {key}"  # noqa: S608
    return sql, fields


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> tuple[str, Fields]:
    known = {field.name: field for field in model._meta.local_concrete_fields}
    fields = tuple(known[name] for name in names)
    changes = ", ".join(f"{_quoted(field.column)} = %s" for field in fields)
    table, key = _quoted(model._meta.db_table), _quoted(model._meta.pk.column)
    return f"update {table} set {changes} where {key} = %s returning 1", fields  # noqa: S608


def _quoted(name: str | None) -> str:
    """None would be a field without a column: not among concrete ones."""
    return connection.ops.quote_name(name or "")
