"""Runs the few statements that every job costs: prepared on Django's own connection, which prepares nothing itself."""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection


def execute(statement: str, params: Mapping[str, Any]) -> "psycopg.Cursor[tuple[Any, ...]]":
    """In the open transaction, or in one of its own. Errors are Django's."""
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    own = connection.connection
    with connection.wrap_database_errors:
        own.prepare_threshold = 0  # as in config.live.prepared: with Django's None nothing would be prepared
        try:
            return psycopg.Cursor(own).execute(statement, params, prepare=True)
        finally:
            own.prepare_threshold = None
