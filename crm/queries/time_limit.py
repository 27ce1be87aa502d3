"""A free filter may be one that no index serves. It ends after its time, with an answer that says so."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError, connection, transaction

from crm.errors import TooSlow

# A list is worth that much of everybody's database.
MOST = 2000  # milliseconds


@contextmanager
def time_limit(milliseconds: int = MOST) -> Iterator[None]:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("select set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise TooSlow from None
        raise
