"""Rows into the database by COPY: into a temporary table, and from there in one statement into the real one."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from psycopg.types.json import Jsonb


class Stage:
    """A temporary table like `table`, in this session alone, for the columns that the import writes."""

    def __init__(
        self, table: str, columns: Sequence[str], *, compared: Sequence[str], also: Sequence[str] = ()
    ) -> None:
        """On a row that is here: `compared` decide whether it changed, `also` are written with them when it has."""
        self.table, self.columns = table, tuple(columns)
        self._name = f"old_{table}"
        listed = ", ".join(self.columns)
        ours = ", ".join(f"t.{column}" for column in compared)
        theirs = ", ".join(f"excluded.{column}" for column in compared)
        written = ", ".join(f"{column} = excluded.{column}" for column in (*compared, *also))
        # What was changed here after the old system's last word stays as it is.
        untouched = "and t.updated_at <= excluded.updated_at" if "updated_at" in self.columns else ""
        self._create = (  # names of our own, here and below
            f"create temporary table if not exists {self._name} on commit preserve rows as "  # noqa: S608
            f"select {listed} from {table} with no data"
        )
        self._copy = f"copy {self._name} ({listed}) from stdin"
        self._upsert = f"""
            insert into {table} as t ({listed}) select {listed} from {self._name}
            on conflict (supabase_id) do update set {written}
            where ({ours}) is distinct from ({theirs}) {untouched}
            returning t.supabase_id, t.id, t.xmax = 0
        """  # noqa: S608  # names of our own

    def write(self, rows: Iterable[Sequence[Any]]) -> tuple[dict[UUID, UUID], dict[UUID, UUID]]:
        """Created and changed: old id to ours. Whatever is in neither was here already, just so."""
        # COPY does not go through Django, which tells other errors by its own names.
        with connection.cursor() as cursor, connection.wrap_database_errors:
            cursor.execute(self._create)
            cursor.execute(f"truncate {self._name}")
            with cursor.copy(self._copy) as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(self._upsert)
            found = cursor.fetchall()
        return (
            {old: new for old, new, is_new in found if is_new},
            {old: new for old, new, is_new in found if not is_new},
        )

    def drop(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"drop table if exists {self._name}")


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
