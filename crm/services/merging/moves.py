"""The record of a merge: every column of every row before and after, written as it moves and read to take it back."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import Field, Model

from crm.actors import Actor
from crm.models import Contact, ContactMerge, ContactMergeMove

# Columns that stand for a whole row: it was made by the merge.
MADE = "*"

_MOVE = """
with moved as (
    update {table} set {column} = %(to)s where {column} = %(from)s and workspace_id = %(workspace)s {only}
    returning {pk}
)
insert into crm_contactmergemove (workspace_id, merge_id, "table", "row", "column", before, after)
select %(workspace)s, %(merge)s, %(table)s, {pk}::text, %(column)s, to_jsonb(%(from)s::text), to_jsonb(%(to)s::text)
from moved order by {pk}
"""
_TAKE_BACK = """
update {table} as held set {column} = (move.before #>> '{{}}')::{type}
from crm_contactmergemove as move
where move.merge_id = %(merge)s and move."table" = %(table)s and move."column" = %(column)s
    and move.id = any(%(ids)s) and held.{pk} = move."row"::{pk_type}
    and held.{column} = (move.after #>> '{{}}')::{type}
"""


def model_of(table: str) -> type[Model]:
    return next(model for model in apps.get_models(include_auto_created=True) if model._meta.db_table == table)


def column_of(model: type[Model], column: str) -> "Field[Any, Any]":
    return next(one for one in model._meta.concrete_fields if one.column == column)


def plain(value: Any) -> Any:
    """As JSON holds it; `column_of(...).to_python` reads it back."""
    return json.loads(json.dumps(value, default=_spelled))


def _spelled(value: Any) -> str:
    return (
        value.isoformat() if isinstance(value, date) else str(value)
    )  # a datetime is a date, and keeps its microseconds


@dataclass
class Merging:
    """One merge under way, both contacts locked."""

    actor: Actor
    merge: ContactMerge
    winner: Contact
    loser: Contact
    _pending: list[ContactMergeMove] = field(default_factory=list)

    def move_rows(
        self, model: type[Model], column: str, *, before: UUID, after: UUID, only: Iterable[Any] | None = None
    ) -> int:
        """Every row that points at `before` points at `after` from now on; of `only` these, where given."""
        self.flush()
        pk = model._meta.pk.column
        only_ids = None if only is None else list(only)
        if only_ids == []:
            return 0
        statement = _MOVE.format(
            table=_quoted(model._meta.db_table),
            column=_quoted(column),
            pk=_quoted(pk),
            only="" if only_ids is None else f"and {_quoted(pk)} = any(%(only)s)",
        )
        with connection.cursor() as cursor:
            cursor.execute(
                statement,
                {
                    "from": before,
                    "to": after,
                    "workspace": self.merge.workspace_id,
                    "merge": self.merge.pk,
                    "table": model._meta.db_table,
                    "column": column,
                    "only": only_ids,
                },
            )
            return int(cursor.rowcount)

    def set(self, row: Model, **values: Any) -> None:
        """Fields by name. What is the same already is no move."""
        changed = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in changed.items():
            self._note(row, _column(row, name), getattr(row, name), value)
            setattr(row, name, value)
        if changed:
            row.save(update_fields=[*changed, *_times(row)])

    def made(self, row: Model) -> None:
        """The merge made this row."""
        self._note(row, MADE, None, {"made": True})

    def collided(self, row: Model, name: str, kept: Any) -> None:
        """Both had a value: the winner's was kept, and this is the loser's."""
        self._note(row, _column(row, name), getattr(row, name), kept)

    def _note(self, row: Model, column: str, before: Any, after: Any) -> None:
        self._pending.append(
            ContactMergeMove(
                workspace_id=self.merge.workspace_id,
                merge=self.merge,
                table=row._meta.db_table,
                row=str(row.pk),
                column=column,
                before=plain(before),
                after=plain(after),
            )
        )

    def flush(self) -> None:
        """Moves are kept in the order in which they were made."""
        ContactMergeMove.objects.bulk_create(self._pending)
        self._pending.clear()


@dataclass
class Undoing:
    """A merge on its way back. Only what still is as the merge left it goes back; what came later stays."""

    actor: Actor
    merge: ContactMerge
    winner: Contact
    loser: Contact

    def moves(self, table: str, column: str | None = None) -> list[ContactMergeMove]:
        rows = ContactMergeMove.objects.filter(merge=self.merge, table=table)
        return list((rows if column is None else rows.filter(column=column)).order_by("id"))

    def take_back(self) -> None:
        kinds = ContactMergeMove.objects.filter(merge=self.merge).order_by("-id").values_list("table", "column", "id")
        for (table, column), group in groupby(list(kinds), key=lambda move: move[:2]):
            ids = [move_id for _, _, move_id in group]
            model = model_of(table)
            if column == MADE:
                self._unmake(model, ids)
            elif (found := column_of(model, column)).is_relation:
                self._point_back(model, found, ids)
            else:
                self._restore(model, found, ids)

    def _point_back(self, model: type[Model], column: "Field[Any, Any]", ids: list[int]) -> None:
        pk = model._meta.pk
        statement = _TAKE_BACK.format(
            table=_quoted(model._meta.db_table),
            column=_quoted(column.column),
            type=_cast(column),
            pk=_quoted(pk.column),
            pk_type=_cast(pk),
        )
        with connection.cursor() as cursor:
            cursor.execute(
                statement,
                {"merge": self.merge.pk, "table": model._meta.db_table, "column": column.column, "ids": ids},
            )

    def _restore(self, model: type[Model], column: "Field[Any, Any]", ids: list[int]) -> None:
        for move in ContactMergeMove.objects.filter(pk__in=ids).order_by("-id"):
            row = model._base_manager.filter(pk=move.row).first()
            if row is not None and plain(getattr(row, column.attname)) == move.after:
                setattr(row, column.attname, _read(column, move.before))
                row.save(update_fields=[column.name, *_times(row)])

    def _unmake(self, model: type[Model], ids: list[int]) -> None:
        """A row that the merge made goes, unless somebody has put something into it since."""
        for move in ContactMergeMove.objects.filter(pk__in=ids).order_by("-id"):
            row = model._base_manager.filter(pk=move.row).first()
            if row is not None and _is_blank(row):
                row.delete()


def _column(row: Model, name: str) -> str:
    field: Field[Any, Any] = row._meta.get_field(name)  # type: ignore[assignment]  # a column of its own
    return str(field.column)


def _read(column: "Field[Any, Any]", value: Any) -> Any:
    return value if value is None or isinstance(value, list | dict) else column.to_python(value)


def _is_blank(row: Model) -> bool:
    """Nothing in it but what it points to."""
    told = [one for one in row._meta.concrete_fields if not one.is_relation and not one.primary_key]
    return all(one.name in _times(row) or getattr(row, one.attname) == one.get_default() for one in told)


def _times(row: Model) -> list[str]:
    return ["updated_at"] if any(one.name == "updated_at" for one in row._meta.concrete_fields) else []


def _cast(column: "Field[Any, Any]") -> str:
    target = column.target_field if column.is_relation else column  # type: ignore[attr-defined]
    return "uuid" if target.get_internal_type() == "UUIDField" else "bigint"


def _quoted(name: str | None) -> str:
    return connection.ops.quote_name(name or "")
