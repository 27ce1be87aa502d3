"""Statements that every message costs, prepared: Django's own cursor has Postgres plan them anew each time, which costs
more than running them."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections


def fetch(statement: str, params: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """In the open transaction, or in one of its own. Errors are Django's."""
    found: list[tuple[Any, ...]]
    connection = connections[DEFAULT_DB_ALIAS]  # once: finding this thread's own is half of what the rest costs
    if connection.queries_logged or connection.execute_wrappers:  # somebody counts
        with connection.cursor() as cursor:
            cursor.execute(statement, params)
            found = cursor.fetchall()
            return found
    if connection.connection is None:
        connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        found = psycopg.Cursor(connection.connection).execute(statement, params, prepare=True).fetchall()
        return found
