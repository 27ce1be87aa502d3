"""A free filter may be one that no index serves. It ends after its time, with an answer that says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
from django.db import OperationalError, connection, transaction
from django.db.models import Func, TextField, Value

from crm.errors import TooSlow

# A list is worth that much of everybody's database.
MOST = 2000  # milliseconds
_limited: ContextVar[bool] = ContextVar("limited", default=False)
# Sets the limit for what follows in the transaction, as a column of a statement that is needed anyhow.
LIMIT = Func(
    *(Value("statement_timeout"), Value(str(MOST)), Value(True)), function="set_config", output_field=TextField()
)


@contextmanager
def time_limit(milliseconds: int = MOST, *, memory: str = "", sets_itself: bool = False) -> Iterator[None]:
    """Around several statements each has that long; inside of another one it changes nothing.

    `memory`, "32MB" say, is what a statement may sort and hash in, where that is more than usual: else it goes to disk.

    `sets_itself`: the first statement inside has `LIMIT` among its columns, which spares one.
    """
    if _limited.get():
        yield
        return
    token = _limited.set(True)
    try:
        with transaction.atomic():
            if not sets_itself:
                _set(milliseconds, memory)
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise TooSlow from None
        raise
    finally:
        _limited.reset(token)


def _set(milliseconds: int, memory: str) -> None:
    """What people look at all day is in memory. The default, made for disks that turn, has whole tables read instead of
    a thousand rows by their keys."""
    values = {"statement_timeout": str(milliseconds), "random_page_cost": "1.1"}
    if memory:
        values["work_mem"] = memory
    with connection.cursor() as cursor:
        set_each = ", ".join("set_config(%s, %s, true)" for _ in values)
        cursor.execute(f"select {set_each}", [word for pair in values.items() for word in pair])
