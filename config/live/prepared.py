"""Statements that every message costs, prepared: Django's own cursor has Postgres plan them anew each time, which costs
more than running them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections


def fetch(statement: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """In the open transaction, or in one of its own. Errors are Django's, and who times or counts statements by its
    wrappers meets these too."""
    found: list[tuple[Any, ...]]
    connection = connections[DEFAULT_DB_ALIAS]  # once: finding this thread's own is half of what the rest costs
    if connection.queries_logged:  # to be looked at: by Django's own cursor, which writes them down
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            found = cursor.fetchall()
            return found
    if connection.connection is None:
        connection.ensure_connection()
    connection.validate_no_broken_transaction()

    def execute(sql: str, given: Any, many: bool, context: Any) -> None:
        nonlocal found
        own = connection.connection
        own.prepare_threshold = 0  # with None, which Django sets, psycopg prepares nothing, asked for or not
        try:
            found = psycopg.Cursor(own).execute(sql, given, prepare=True).fetchall()
        finally:
            own.prepare_threshold = None  # else it remembers Django's statements too, values and all

    run: Callable[..., Any] = execute
    for wrapper in reversed(connection.execute_wrappers):
        run = partial(wrapper, run)
    with connection.wrap_database_errors:
        run(statement, params, False, {"connection": connection, "cursor": None})
        return found
