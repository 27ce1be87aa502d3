"""The import from end to end: table by table, batch by batch, each batch one transaction that is whole or not there.

So it may be stopped or killed at any moment and started again: what is here stays, the rest follows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, repeat
from typing import Any, Protocol

from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from inbox import topics
from inbox.old_data import standing, values
from inbox.old_data.ahead import ahead
from inbox.old_data.alone import AlreadyRunning, alone
from inbox.old_data.contacts import Contacts, Raced
from inbox.old_data.conversations import Conversations
from inbox.old_data.fields import IMPORTED, ORDER
from inbox.old_data.lines import Line
from inbox.old_data.mapping import Mapped, MappingError, Table
from inbox.old_data.messages import Messages
from inbox.old_data.notes import Notes
from inbox.old_data.people import Members, Workspaces
from inbox.old_data.progress import Watcher
from inbox.old_data.report import Report, Tally
from inbox.old_data.scope import Scope
from inbox.old_data.sources import UNREADABLE, Source, SourceError

BATCH = 5_000  # rows of one transaction
ROUNDS = 5  # a race or a deadlock is over by then
# Read whole whatever --since says: little, and what is new may point at what is old.
SINCE = frozenset({"messages", "notes"})
DEADLOCK = "40P01"
ANALYZED = ("crm_contact", "crm_contactidentity", "crm_contactnote", "inbox_conversation", "inbox_message")


class Writer(Protocol):
    name: str

    def write(self, rows: list[Any]) -> Tally: ...


@dataclass(frozen=True, slots=True)
class Options:
    workspaces: frozenset[str] = frozenset()
    since: datetime | None = None
    only: frozenset[str] = frozenset(IMPORTED)
    adopt: bool = False
    dry: bool = False
    batch: int = BATCH


@dataclass(frozen=True, slots=True)
class Batch:
    given: int
    rows: list[Any]  # as its writer takes them
    tally: Tally  # of what could not even be read


class Import:
    def __init__(self, source: Source, mapped: Mapped, options: Options, report: Report, watcher: Watcher) -> None:
        self._source, self._mapped, self._options = source, mapped, options
        self._report, self._watcher = report, watcher
        self._scope = Scope(mapped, options.workspaces, options.adopt, options.dry)
        self._messages = Messages(self._scope)
        self._conversations = Conversations(self._scope)
        self._stages = (Contacts(self._scope), Notes(self._scope), self._conversations, self._messages)
        writers: tuple[Writer, ...] = (Workspaces(self._scope), Members(self._scope), *self._stages)
        self._writers = {writer.name: writer for writer in writers}

    def run(self) -> None:
        """Raises MappingError and SourceError before anything is written."""
        tables = self._tables()
        with alone():
            if not self._options.dry:
                self._take(tables)
                return
            # The whole of it, and then not: the same checks by the same statements.
            with transaction.atomic():
                self._take(tables)
                transaction.set_rollback(True)

    def _tables(self) -> list[Table]:
        wanted = [self._mapped.tables[name] for name in ORDER if name in self._options.only]
        there = [table for table in wanted if not table.skip and self._source.has(table)]
        if not there:
            raise SourceError(f"None of the tables is there: {', '.join(table.tables[0] for table in wanted)}.")
        for table in there:
            self._source.check(table)
        return there

    def _take(self, tables: Sequence[Table]) -> None:
        self._scope.load_places()
        try:
            for table in tables:
                self._table(table)
            self._messages.finish()
        finally:
            if not connection.needs_rollback:
                self._leave()
        if not self._options.dry:
            with connection.cursor() as cursor:
                cursor.execute(f"analyze {', '.join(ANALYZED)}")

    def _leave(self) -> None:
        if not self._options.dry and self._scope.touched:
            standing.skip_a_number([topics.inbox(slug) for slug in self._scope.touched])
        for stage in self._stages:
            stage.drop()

    def _table(self, table: Table) -> None:
        since = self._options.since if table.name in SINCE else None
        self._watcher.begin(table.name, self._source.count(table, since))
        self._report.add(table.name, Tally())
        batches = _batches(self._source.rows(table, since), self._options.batch)
        with ahead(map(self._looked_through, repeat(table.name), batches)) as coming:
            for batch in coming:
                for part in self._parts(self._writers[table.name], batch.rows):
                    batch.tally.add(part)
                self._report.add(table.name, batch.tally)
                self._watcher.advance(batch.given)

    def _looked_through(self, name: str, rows: list[dict[str, Any]]) -> Batch:
        """In the reading thread: no database is asked."""
        tally = Tally()
        good = [row for row in rows if not _is_unreadable(row, tally)]
        return Batch(len(rows), self._messages.read(good) if name == self._messages.name else good, tally)

    def _parts(self, writer: Writer, rows: list[Any]) -> Iterator[Tally]:
        """Halves of what the database refuses, down to the row that it is about: the others are none the worse."""
        if not rows:
            return
        try:
            yield self._write(writer, rows)
            return
        except (IntegrityError, DataError, Raced) as error:
            self._forget()
            if len(rows) == 1:
                tally = Tally()
                tally.refuse(_old_id(rows[0]), _reason(error))
                yield tally
                return
        middle = len(rows) // 2
        yield from self._parts(writer, rows[:middle])
        yield from self._parts(writer, rows[middle:])

    def _write(self, writer: Writer, rows: list[Any]) -> Tally:
        for left in reversed(range(ROUNDS)):
            try:
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        # A crash may lose the last batches, and the next run brings them again.
                        cursor.execute("set local synchronous_commit = off")
                    return writer.write(rows)
            except Raced:
                if not left:
                    raise
            except OperationalError as error:
                if not left or getattr(error.__cause__, "sqlstate", None) != DEADLOCK:
                    raise
            self._forget()
        raise AssertionError

    def _forget(self) -> None:
        """A batch was rolled back: what it made is not there."""
        self._scope.forget()
        self._conversations.forget_channels()
        self._messages.forget()


def _old_id(row: dict[str, Any] | Line) -> str:
    return values.text(row.given if isinstance(row, Line) else row.get("id"))


def _is_unreadable(row: dict[str, Any], tally: Tally) -> bool:
    reason = row.get(UNREADABLE)
    if reason:
        tally.refuse(values.text(row.get("id")), reason)
    return bool(reason)


def _reason(error: Exception) -> str:
    if isinstance(error, Raced):
        return "number_keeps_changing_hands"
    diagnostics = getattr(error.__cause__, "diag", None)
    name = getattr(diagnostics, "constraint_name", None) or getattr(diagnostics, "sqlstate", None)
    return f"database:{name or 'refused'}"


def _batches(rows: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


__all__ = ["AlreadyRunning", "Import", "MappingError", "Options", "SourceError"]
