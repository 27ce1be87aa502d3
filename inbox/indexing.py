"""Fills in the words of rows that came by another road than the services: imports, restored copies, older versions.

Batches of their own transactions, the oldest rows first. A stop loses one batch at most; the next run goes on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from crm.search import phone_words, vector_of

BATCH = 2000
Words = Callable[..., str]


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    table: str
    columns: str  # of `row`, as `words` takes them
    words: Words
    worth: str  # a row without anything to find stays as it is


def _contact_words(name: str, email: str, phone: str, numbers: list[str]) -> str:
    return vector_of(name, email, phone, *(phone_words(number) for number in numbers if number))


_NUMBERS = """array(select line.phone_normalized union select identity.value from crm_contactidentity identity
    where identity.contact_id = line.id and identity.kind = 'phone')"""
TABLES = (
    _Table("contacts", "crm_contact", f"line.name, line.email, line.phone, {_NUMBERS}", _contact_words, "true"),
    _Table("notes", "crm_contactnote", "line.body", vector_of, "true"),
    _Table("messages", "inbox_message", "line.body", vector_of, "line.body <> ''"),
)


def fill(table: _Table, *, again: bool = False) -> Iterator[int]:
    """Yields how many rows each batch wrote. `again` writes all anew, after the tokeniser has learned something."""
    missing = "" if again else "and line.search is null"
    select = (
        f"select line.id, {table.columns} from {table.table} line"  # noqa: S608  # only constants are put in
        f" where line.id > %s and {table.worth} {missing} order by line.id limit {BATCH}"
    )
    # What is written meanwhile has its words already.
    update = (
        f"update {table.table} line set search = found.words::tsvector"  # noqa: S608  # only constants are put in
        f" from unnest(%s::uuid[], %s::text[]) as found(id, words) where line.id = found.id {missing}"
    )
    last = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(select, [last])
            rows = cursor.fetchall()
            if not rows:
                return
            cursor.execute(update, [[row[0] for row in rows], [table.words(*row[1:]) for row in rows]])
            written = cursor.rowcount
        last = rows[-1][0]
        yield written
