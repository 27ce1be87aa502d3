"""What the product holds about a contact, part by part: how each part merges, comes apart again, is handed out
and erased. Apps register their parts in AppConfig.ready(); a test fails when a table that points to a contact is
in none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

if TYPE_CHECKING:
    from crm.services.merging.moves import Merging, Undoing

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFile:
    name: str  # in the export
    storage_name: str


@dataclass
class Erasing:
    """What one erasure has taken away so far. `contact_ids` are the contact and all that were merged into it."""

    workspace_id: UUID
    contact_ids: list[UUID]
    # How the person is called outside: numbers, addresses, providers' ids. Never kept, but by parts that still need
    # them for a job, and sealed there
    names: set[str] = field(default_factory=set, repr=False)
    ids: set[UUID] = field(default_factory=set)  # of erased rows that others may have written down
    rows: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def count(self, table: str, rows: int) -> None:
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows


class Part:
    """Base of what is registered. Every method joins the caller's unit of work, and does nothing by itself."""

    name: ClassVar[str]  # in an export
    # Tables that point to a contact and are looked after here, besides those that hang on them
    tables: ClassVar[tuple[str, ...]] = ()

    def merge(self, merging: "Merging") -> None:
        """Moves what the loser has to the winner by `merging.move_rows` and `merging.set`, so that it is recorded."""

    def unmerge(self, undoing: "Undoing") -> None:
        """After the recorded moves were taken back: what can only be worked out anew."""

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        """Rows for the person to read, with values that JSON can hold or dates and ids."""
        return ()

    def files(self, contact_ids: Sequence[UUID]) -> Iterable[StoredFile]:
        return ()

    def check_erasable(self, erasing: Erasing) -> None:
        """Raises a Conflict where erasing now would break something that is under way."""

    def erase(self, erasing: Erasing) -> None:
        """Deletes for good, counts the rows and names the files."""


_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """In AppConfig.ready(), lower apps before upper ones. Merging goes in this order, undoing and erasing backwards."""
    known = _parts.get(part.name)
    if known is not None and type(known) is not type(part):
        raise RuntimeError(f"two apps register the part {part.name!r} of a dossier")
    _parts[part.name] = part


def parts() -> list[Part]:
    return list(_parts.values())


def tables() -> set[str]:
    return {table for part in _parts.values() for table in part.tables}
