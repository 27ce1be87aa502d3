"""A batch's rows by COPY, or in one piece of JSON. It has ten thousand cells, and a statement with as many places for
them takes longer to be written than to be run.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model


def copy_in(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """What is not among the columns, the database gives by itself."""
    database = transaction.get_connection()
    table, *names = map(database.ops.quote_name, (model._meta.db_table, *columns))
    command = f"copy {table} ({', '.join(names)}) from stdin"
    # COPY does not go through Django, which tells other errors by its own names.
    with database.cursor() as cursor, database.wrap_database_errors, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row(row)


def copy_whole(model: type[Model], rows: Iterable[Model]) -> None:
    """As bulk_create writes them; models without keys or defaults that only the database knows."""
    database = transaction.get_connection()
    fields = model._meta.concrete_fields
    cells = ([field.get_db_prep_save(field.pre_save(row, True), database) for field in fields] for row in rows)
    copy_in(model, [str(field.column) for field in fields], cells)


def write_over(model: type[Model], columns: Sequence[str], rows: Iterable[Model]) -> None:
    """Rows that are there already, by their keys."""
    database = transaction.get_connection()
    table, key, *names = map(database.ops.quote_name, (model._meta.db_table, "id", *columns))
    told = json.dumps([{name: getattr(row, name) for name in ("id", *columns)} for row in rows], default=str)
    with database.cursor() as cursor:
        cursor.execute(
            f"update {table} as ours set {', '.join(f'{name} = told.{name}' for name in names)} "  # noqa: S608  # names
            f"from jsonb_populate_recordset(null::{table}, %s) as told where ours.{key} = told.{key}",
            [told],
        )
