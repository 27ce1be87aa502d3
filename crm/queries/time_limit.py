"""A free filter may be one that no index serves. It ends after its time, with an answer that says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
from django.db import OperationalError, connection, transaction

from crm.errors import TooSlow

# A list is worth that much of everybody's database.
MOST = 2000  # milliseconds
_limited: ContextVar[bool] = ContextVar("limited", default=False)


@contextmanager
def time_limit(milliseconds: int = MOST) -> Iterator[None]:
    """Around several statements each has that long; inside of another one it changes nothing."""
    if _limited.get():
        yield
        return
    token = _limited.set(True)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("select set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise TooSlow from None
        raise
    finally:
        _limited.reset(token)
