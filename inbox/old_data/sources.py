"""Where old rows come from: a Postgres read in one moment of its time, or a folder of exported files."""

import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import orjson
import psycopg
from psycopg import sql

from inbox.old_data import values
from inbox.old_data.fields import REQUIRED, Kind, kind_of
from inbox.old_data.mapping import Field, MappingError, Table

SUFFIXES = (".csv", ".jsonl", ".ndjson")
# Sorted in memory, since what comes first decides there; messages and notes are read as they stand.
SORTED = frozenset({"workspaces", "members", "contacts", "conversations"})
UNREADABLE = "_unreadable"  # in place of fields: why the line could not be read
Raw = dict[str, Any]


class SourceError(Exception):
    """The source cannot be read at all; the message is for the person who runs the import."""


class Source(Protocol):
    def has(self, table: Table) -> bool: ...
    def check(self, table: Table) -> None: ...
    def count(self, table: Table, since: datetime | None) -> int | None: ...
    def rows(self, table: Table, since: datetime | None) -> Iterator[Raw]: ...
    def close(self) -> None: ...


# --- Fields -------------------------------------------------------------------------------------------------


def _chosen(table: Table, there: Sequence[str]) -> dict[str, tuple[Field, str]]:
    """Field to its column ("" for a constant). What the owner named, and what must be, has to be there."""
    chosen: dict[str, tuple[Field, str]] = {}
    for name, field in table.fields.items():
        column = next((column for column in field.columns if column in there), "")
        if column or (field.value is not None):
            chosen[name] = (field, column)
        elif field.named and field.columns:
            raise MappingError(f"[{table.name}.fields] {name}: there is no column {' or '.join(field.columns)}.")
        elif field.default is not None:
            chosen[name] = (field, "")
        elif name in REQUIRED[table.name]:
            raise MappingError(
                f"{table.name}: no column {' or '.join(field.columns)} is there for {name}; name it in a mapping."
            )
    return chosen


def _translated(name: str, field: Field, value: Any, raw: Raw) -> Any:
    if field.value is not None:
        return field.value
    for part in field.path:
        value = values.structure(value)
        value = value.get(part) if isinstance(value, dict) else None
    if value is None or value == "":
        return field.default
    if field.words is None:
        return value
    known = field.words.get(values.text(value).lower(), field.other)
    if known is None:
        raw.setdefault(UNREADABLE, f"unknown_{name}")
    return known


def _is_plain(field: Field) -> bool:
    return field.value is None and not field.path and field.default is None and field.words is None


# --- Postgres -----------------------------------------------------------------------------------------------


class PostgresSource:
    """One REPEATABLE READ transaction, read only: the old system may go on writing, and we see none of it."""

    def __init__(self, dsn: str, batch: int) -> None:
        self._batch = batch
        try:
            self._connection = psycopg.connect(dsn, application_name="import_supabase", connect_timeout=15)
        except psycopg.Error as error:
            raise SourceError(f"The old database cannot be opened: {_first_line(error)}") from None
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True
        self._connection.execute("set local timezone = 'UTC'")
        self._connection.execute("set local datestyle = 'ISO, YMD'")
        self._connection.execute("set local statement_timeout = 0")
        self._connection.execute("set local idle_in_transaction_session_timeout = 0")
        self._relations: dict[str, sql.Composable | None] = {}
        self._chosen: dict[str, dict[str, tuple[Field, str]]] = {}

    def close(self) -> None:
        self._connection.close()

    def has(self, table: Table) -> bool:
        if table.name not in self._relations:
            self._relations[table.name] = self._find(table)
        return self._relations[table.name] is not None

    def check(self, table: Table) -> None:
        self._columns(table)

    def count(self, table: Table, since: datetime | None) -> int | None:
        query, parameters = self._from(table, since)
        with _explained(table):
            row = self._connection.execute(sql.SQL("select count(*) ") + query, parameters).fetchone()
        return int(row[0]) if row else None

    def rows(self, table: Table, since: datetime | None) -> Iterator[Raw]:
        chosen = self._columns(table)
        query, parameters = self._from(table, since)
        columns = [(name, field, column) for name, (field, column) in chosen.items() if column]
        rest = [(name, field) for name, (field, column) in chosen.items() if not column]
        picked = sql.SQL(", ").join(_picked(name, field, column) for name, field, column in columns)
        statement = sql.SQL("select ") + picked + sql.SQL(" ") + query + self._order(table, chosen)
        plain = [name for name, _, _ in columns]
        worked = [(name, field) for name, field, _ in columns if not _is_plain(field)] + rest
        with self._connection.cursor(name=f"old_{table.name}") as cursor, _explained(table):
            cursor.execute(statement, parameters)
            while rows := cursor.fetchmany(self._batch):
                for row in rows:
                    raw: Raw = dict(zip(plain, row, strict=True))
                    for name, field in worked:
                        raw[name] = _translated(name, field, raw.get(name), raw)
                    yield raw

    def _columns(self, table: Table) -> dict[str, tuple[Field, str]]:
        if table.name not in self._chosen:
            relation = self._relation(table)
            with _explained(table):
                cursor = self._connection.execute(sql.SQL("select * from ") + relation + sql.SQL(" limit 0"))
            self._chosen[table.name] = _chosen(table, [column.name for column in cursor.description or ()])
        return self._chosen[table.name]

    def _relation(self, table: Table) -> sql.Composable:
        relation = self._relations[table.name] if self.has(table) else None
        if relation is None:
            raise SourceError(f"There is no table {' or '.join(table.tables)}.")
        return relation

    def _find(self, table: Table) -> sql.Composable | None:
        if table.query:
            return sql.SQL("({}) as old").format(sql.SQL(table.query))  # the owner's own SQL
        for name in table.tables:
            parts = name.split(".")
            quoted = sql.Identifier(*parts)
            row = self._connection.execute("select to_regclass(%s)", [quoted.as_string(self._connection)]).fetchone()
            if row and row[0] is not None:
                return quoted + sql.SQL(" as old")
        if table.named:
            raise MappingError(f"[{table.name}] there is no table {' or '.join(table.tables)}.")
        return None

    def _from(self, table: Table, since: datetime | None) -> tuple[sql.Composable, list[Any]]:
        relation = self._relation(table)
        chosen = self._columns(table)
        stamps = [chosen[name][1] for name in ("updated_at", "created_at") if chosen.get(name, (None, ""))[1]]
        if since is None or not stamps:
            return sql.SQL("from ") + relation, []
        newest = sql.SQL("coalesce({})").format(sql.SQL(", ").join(sql.Identifier(column) for column in stamps))
        return sql.SQL("from {} where {} >= %s").format(relation, newest), [since]

    def _order(self, table: Table, chosen: Mapping[str, tuple[Field, str]]) -> sql.Composable:
        parts = [
            sql.Identifier(chosen[name][1]) + sql.SQL(" desc" if down else "")
            for name, down in table.order
            if name in chosen and chosen[name][1] and not chosen[name][0].path
        ]
        return sql.SQL(" order by ") + sql.SQL(", ").join(parts) if parts else sql.SQL("")


def _picked(name: str, field: Field, column: str) -> sql.Composable:
    """As text: a date that Python cannot hold is then a row's trouble and not the whole import's."""
    form = "to_jsonb({})::text" if kind_of(name) is Kind.JSON or field.path else "{}::text"
    return sql.SQL(form).format(sql.Identifier(column))


@contextmanager
def _explained(table: Table) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise SourceError(f"Reading {table.name} failed: {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["it did not say why"])[0]


# --- Files --------------------------------------------------------------------------------------------------


class FolderSource:
    """A folder with one file per table: contacts.csv, messages.jsonl."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SourceError(f"{folder} is not a folder.")
        self._folder = folder
        csv.field_size_limit(sys.maxsize)

    def close(self) -> None:
        """Nothing is kept open."""

    def has(self, table: Table) -> bool:
        if table.query:
            raise MappingError(f"[{table.name}] query works with a database alone.")
        if self._file(table) is None and table.named:
            raise MappingError(
                f"[{table.name}] there is no file {' or '.join(table.tables)} with {', '.join(SUFFIXES)}."
            )
        file = self._file(table)
        return file is not None and _has_rows(file)

    def check(self, table: Table) -> None:
        file = self._there(table)
        _chosen(table, _reader(file)(file)[0])

    def count(self, table: Table, since: datetime | None) -> int | None:
        """Lines, which for a CSV may be more than rows: enough for a progress bar. None when fewer are to be read."""
        file = self._there(table)
        if since is not None:
            return None
        with file.open("rb") as lines:
            return sum(1 for _ in lines) - (file.suffix == ".csv")

    def rows(self, table: Table, since: datetime | None) -> Iterator[Raw]:
        rows = self._mapped(table)
        if since is not None:
            rows = (row for row in rows if _is_since(row, since))
        return iter(_sorted(table, rows)) if table.name in SORTED or table.name == "split" else rows

    def _file(self, table: Table) -> Path | None:
        names = [name.rpartition(".")[2] for name in table.tables]
        found = (self._folder / f"{name}{suffix}" for name in names for suffix in SUFFIXES)
        return next((file for file in found if file.is_file()), None)

    def _there(self, table: Table) -> Path:
        file = self._file(table)
        if file is None:
            raise SourceError(f"There is no file {' or '.join(table.tables)}.")
        return file

    def _mapped(self, table: Table) -> Iterator[Raw]:
        file = self._there(table)
        there, lines = _reader(file)(file)
        chosen = _chosen(table, there)
        for line in lines:
            if UNREADABLE in line:
                yield line
                continue
            raw: Raw = {}
            for name, (field, column) in chosen.items():
                raw[name] = _translated(name, field, line.get(column) if column else None, raw)
            yield raw


def _sorted(table: Table, rows: Iterable[Raw]) -> Iterable[Raw]:
    held = list(rows)
    for name, down in reversed(table.order):
        held.sort(key=lambda raw: _sortable(raw.get(name)), reverse=down)
    return held


def _sortable(value: Any) -> tuple[int, str]:
    return (1, "") if value in (None, "") else (0, str(value))


def _is_since(raw: Raw, since: datetime) -> bool:
    """What cannot be told is read: it will be refused by name."""
    try:
        at = values.moment(raw.get("updated_at")) or values.moment(raw.get("created_at"))
    except values.Refused:
        return True
    return at is None or at >= since


def _has_rows(file: Path) -> bool:
    """An empty table exports as an empty JSONL file, without even the names of its columns."""
    if file.suffix == ".csv":
        return True
    with file.open("rb") as lines:
        return any(line.strip() for line in lines)


def _reader(file: Path) -> Callable[[Path], tuple[list[str], Iterator[Raw]]]:
    return _read_csv if file.suffix == ".csv" else _read_jsonl


def _read_csv(file: Path) -> tuple[list[str], Iterator[Raw]]:
    lines = _csv_lines(file)
    header = [name.strip() for name in next(lines, [])]
    if not header:
        raise SourceError(f"{file.name} is empty: its first line must name the columns.")
    return header, _csv_rows(header, lines)


def _csv_lines(file: Path) -> Iterator[list[str]]:
    # Broken characters are let in here and refused with their row below.
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        yield from csv.reader(handle)


def _csv_rows(header: list[str], lines: Iterator[list[str]]) -> Iterator[Raw]:
    while True:
        try:
            line = next(lines)
        except StopIteration:
            return
        except csv.Error:
            yield {UNREADABLE: "unreadable_line"}
            continue
        if not line:
            continue
        if len(line) != len(header):
            yield {UNREADABLE: "wrong_number_of_columns", **dict(zip(header, line, strict=False))}
        elif not _is_utf8(line):
            yield {UNREADABLE: "not_utf8"}
        else:
            yield dict(zip(header, line, strict=True))


def _is_utf8(line: list[str]) -> bool:
    try:
        "".join(line).encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_jsonl(file: Path) -> tuple[list[str], Iterator[Raw]]:
    """Its columns are those of the whole file: a line may leave out what is empty."""
    names: dict[str, None] = {}
    for line in _jsonl_rows(file):
        names.update(dict.fromkeys(line))
    return list(names), _jsonl_rows(file)


def _jsonl_rows(file: Path) -> Iterator[Raw]:
    with file.open("rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                row = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
            except orjson.JSONDecodeError:
                yield {UNREADABLE: "unreadable_line"}
                continue
            yield row if isinstance(row, dict) else {UNREADABLE: "unreadable_line"}
