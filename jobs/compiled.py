"""Querysets that are asked with every message: built once, then run prepared. The rule stays the queryset that others
ask too; building it anew for each message costs ten times what running it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable, get_related_populators

from config.live import prepared

M = TypeVar("M", bound=Model)


class Compiled(Generic[M]):
    """`build` makes the queryset from one value for each of `kinds` (UUID, str or datetime), which it may only compare
    with: what it does must not depend on what they are. No prefetches. Locks need an open transaction."""

    def __init__(self, build: Callable[..., "QuerySet[M, Any]"], *kinds: type[UUID | str | datetime]) -> None:
        self._build, self._kinds = build, kinds
        self._plan: _Plan | None = None

    def first(self, *values: UUID | str | datetime) -> M | None:
        return next(iter(self.all(*values)), None)

    def all(self, *values: UUID | str | datetime) -> list[M]:
        plan = self._planned()
        return [plan.instance(row) for row in plan.rows(values)]

    def tuples(self, *values: UUID | str | datetime) -> list[tuple[Any, ...]]:
        """Of a queryset of `values_list`."""
        return [tuple(row) for row in self._planned().rows(values)]

    def _planned(self) -> "_Plan":
        if self._plan is None:
            stand_ins = [_stand_in(kind, place) for place, kind in enumerate(self._kinds)]
            self._plan = _plan(self._build(*stand_ins), stand_ins)
        return self._plan


def _stand_in(kind: type, place: int) -> Any:
    """A value that nothing else in the statement can have."""
    if kind is UUID:
        return uuid4()
    if kind is datetime:
        return datetime.fromisoformat("1900-01-01T00:00:00+00:00") + timedelta(days=place)
    return f"stand-in-{uuid4().hex}"


@dataclass(slots=True)
class _Plan:
    sql: str
    params: list[Any]
    places: list[tuple[int, int]]  # of a parameter, and of the value that goes there
    converters: list[tuple[int, list[Any], Any]]
    model: type[Model] | None
    columns: slice
    names: list[str]
    related: list[Any]
    annotations: list[tuple[str, int]]

    def rows(self, values: Sequence[Any]) -> list[list[Any]]:
        params = self.params.copy()
        for place, value in self.places:
            params[place] = values[value]
        rows = [list(row) for row in prepared.fetch(self.sql, params)]
        own = connections[DEFAULT_DB_ALIAS]
        for row in rows:
            for place, convert, expression in self.converters:
                for one in convert:
                    row[place] = one(row[place], expression, own)
        return rows

    def instance(self, row: list[Any]) -> Any:
        if self.model is None:
            raise TypeError("values_list makes no instances: ask for tuples")
        made = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.columns])
        for populator in self.related:
            populator.populate(row, made)
        for name, place in self.annotations:
            setattr(made, name, row[place])
        return made


def _plan(rows: "QuerySet[Any, Any]", stand_ins: list[Any]) -> _Plan:
    """As `ModelIterable` does it for each query."""
    compiler = rows.query.get_compiler(connection=connection)
    sql, given = compiler.as_sql()
    params = list(given)
    places = [(place, stand_ins.index(one)) for place, one in enumerate(params) if one in stand_ins]
    if {value for _, value in places} != set(range(len(stand_ins))):
        raise TypeError("a value of the queryset is not a parameter of its statement")
    fields = [column[0] for column in compiler.select[: compiler.col_count]]
    converters = [(at, convert, of) for at, (convert, of) in compiler.get_converters(fields).items()]
    plan = _Plan(sql, params, places, converters, None, slice(0), [], [], [])
    if issubclass(rows._iterable_class, ModelIterable):
        info = compiler.klass_info
        own = info["select_fields"]
        plan.model, plan.columns = info["model"], slice(own[0], own[-1] + 1)
        plan.names = [column[0].target.attname for column in compiler.select[plan.columns]]
        plan.related = get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # stubs of a newer one
        plan.annotations = list(compiler.annotation_col_map.items())
    return plan
