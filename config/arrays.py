"""Arrays for the statements that write many rows at once, in the text form that Postgres reads."""

from collections.abc import Iterable
from uuid import UUID

Item = str | int | bool | UUID | None


def array(items: Iterable[Item]) -> str:
    """The literal to cast, as in `%(ids)s::uuid[]`. psycopg's own looks at every item with regular expressions in
    Python, and puts backslashes in one by one, of which JSON needs many."""
    written = [
        "NULL" if item is None else _quoted(item) if isinstance(item, str) else str(item)  # most are neither
        for item in items
    ]
    return "{" + ",".join(written) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
