"""Rows into the database by COPY: into a temporary table, and from there in one statement into the real one."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from psycopg.types.json import Jsonb


class Stage:
    """A temporary table like `table`, in this session alone, for the columns that the import writes."""

    def __init__(
        self,
        table: str,
        columns: Sequence[str],
        *,
        compared: Sequence[str],
        also: Sequence[str] = (),
        later: Sequence[str] = (),
    ) -> None:
        """On a row that is here: `compared` decide whether it changed, `also` are written with them when it has.

        `later` are not copied: they are worked out among the rows that are there.
        """
        self.table, self.columns = table, tuple(columns)
        self.name = f"old_{table}"
        listed = ", ".join(self.columns)
        ours = ", ".join(f"t.{column}" for column in compared)
        theirs = ", ".join(f"excluded.{column}" for column in compared)
        written = ", ".join(f"{column} = excluded.{column}" for column in (*compared, *also))
        # What was changed here after the old system's last word stays as it is.
        untouched = "and t.updated_at <= excluded.updated_at" if "updated_at" in self.columns else ""
        self._create = (  # names of our own, here and below
            f"create temporary table if not exists {self.name} on commit preserve rows as "  # noqa: S608
            f"select {listed} from {table} with no data"
        )
        copied = ", ".join(column for column in self.columns if column not in later)
        self._copy = f"copy {self.name} ({copied}) from stdin"
        self.upsert = f"""
            insert into {table} as t ({listed}) select {listed} from {self.name}
            on conflict (supabase_id) do update set {written}
            where ({ours}) is distinct from ({theirs}) {untouched}
        """  # noqa: S608  # names of our own

    def write(self, rows: Iterable[Sequence[Any]]) -> tuple[dict[UUID, UUID], dict[UUID, UUID]]:
        """Created and changed: old id to ours. Whatever is in neither was here already, just so."""
        with self._emptied() as cursor:
            with cursor.copy(self._copy) as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"{self.upsert} returning t.supabase_id, t.id, t.xmax = 0")
            found = cursor.fetchall()
        return (
            {old: new for old, new, is_new in found if is_new},
            {old: new for old, new, is_new in found if not is_new},
        )

    def fill(self, lines: Iterable[str]) -> None:
        """As COPY reads them, a line a row."""
        with self._emptied() as cursor, cursor.copy(self._copy) as copy:
            copy.write("".join(lines))

    @contextmanager
    def _emptied(self) -> Iterator[Any]:
        # COPY does not go through Django, which tells other errors by its own names.
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.execute(self._create)
            cursor.execute(f"truncate {self.name}")
            yield cursor

    def drop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"drop table if exists {self.name}")


def fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def execute(sql: str, parameters: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def json(value: Any) -> Jsonb:
    return Jsonb(value, dumps=orjson.dumps)
