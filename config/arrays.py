"""Arrays for the statements that write many rows at once, in the text form that Postgres reads."""

from collections.abc import Iterable
from uuid import UUID

Item = str | int | bool | UUID | None


def array(items: Iterable[Item]) -> str:
    """The literal to cast, as in `%(ids)s::uuid[]`. psycopg's own looks at every item with regular expressions in
    Python, and puts backslashes in one by one, of which JSON needs many."""
    return "{" + ",".join([_written(item) for item in items]) + "}"


def _written(item: Item) -> str:
    if item is None:
        return "NULL"
    if isinstance(item, str):
        return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(item)
