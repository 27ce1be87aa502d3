"""The newest messages or notes that have some words, however many have them and whenever that was.

A common word has a hundred thousand hits, which nobody wants to sort. So the newest rows are looked through as they
stand, which finds what is said often; of what is rarer the index has few. What is common, yet not lately, shows in
samples of all history: where it begins to be common is where the index is asked from.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from crm.actors import Actor

# So many of the newest rows are looked through one by one; where that finds some, as many more as should have enough.
WINDOW = 3000
SOME = 4
WIDEST = 40_000
# History is tried in so many places, evenly spread over its time, so many rows in each.
PLACES = 64
ROWS = 48
ENOUGH = 3  # hits in the samples: what lies between has many times as many
OLDER_THAN_ALL, NEWER_THAN_ALL = UUID(int=0), UUID(int=2**128 - 1)

# The end of the window only where it was looked through to its end.
_NEWEST = """
with found as materialized (
    select id from (
        select * from {table} where workspace_id = %(workspace)s and id < %(before)s order by id desc limit %(window)s
    ) as newest
    where search @@ %(query)s::tsquery and deleted_at is null {only} and {parent} in ({visible})
    order by id desc limit %(most)s
), edge as materialized (
    select id from {table}
    where workspace_id = %(workspace)s and id < %(before)s and (select count(*) from found) < %(most)s
    order by id desc offset %(window)s - 1 limit 1
)"""
_LOOK = f"""{_NEWEST}
select array(select id from found), (select id from edge)
"""  # noqa: S608 - constants alone
# That rows with a word lie scattered, and rows of a time side by side, is nothing that the planner knows: with rows
# made dear it reads none that one of two indexes can rule out.
_DEAR = "set local cpu_tuple_cost = 1; set local max_parallel_workers_per_gather = 0"
_AS_EVER = "set local cpu_tuple_cost to default; set local max_parallel_workers_per_gather to default"
# A UUIDv7 begins with its milliseconds: places from the oldest to the edge in even steps.
# Hits newer than the edge are those of the windows: only the older end is a condition that an index may serve, since of
# two whose values it does not know the planner expects next to nothing between them.
_REST = f"""{_DEAR};
{_NEWEST}, ends as (
    select ('x' || translate(left(oldest.id::text, 13), '-', ''))::bit(48)::bigint as oldest,
        ('x' || translate(left(edge.id::text, 13), '-', ''))::bit(48)::bigint as newest
    from edge cross join lateral (
        select id from {{table}} where workspace_id = %(workspace)s and id < edge.id order by id limit 1
    ) as oldest
), place as (
    select lpad(to_hex(newest - (newest - oldest) * number / %(places)s), 12, '0') as ms
    from ends, generate_series(1, %(places)s - 1) as number
), tried as (
    select distinct row.id, row.is_hit
    from place cross join lateral (
        select id, (search @@ %(query)s::tsquery and deleted_at is null {{only}}) as is_hit
        from {{table}} where workspace_id = %(workspace)s
            and id < (left(ms, 8) || '-' || right(ms, 4) || '-0000-0000-000000000000')::uuid
        order by id desc limit %(rows)s
    ) as row
), common as materialized (
    select id from (select id, sum(is_hit::int) over (order by id desc) as hits from tried) as counted
    where hits >= %(enough)s order by id desc limit 1
), older as materialized (
    select id, {{parent}} from {{table}}
    where workspace_id = %(workspace)s and search @@ %(query)s::tsquery and deleted_at is null {{only}}
        and id >= coalesce((select id from common), %(oldest)s) and (select id from edge) is not null
)
select array(select id from found),
    array(
        select id from older where id < (select id from edge) and {{parent}} in ({{visible}})
        order by id desc limit %(most)s - (select count(*) from found)
    ),
    (select id from common);
{_AS_EVER}"""  # noqa: S608 - constants alone


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    parent: str
    only: str = ""


MESSAGES = Table("inbox_message", "conversation_id", "and direction <> 'activity'")
NOTES = Table("crm_contactnote", "contact_id")


def find(
    actor: Actor,
    table: Table,
    visible: "QuerySet[Any]",
    query: str,
    *,
    most: int,
    before: UUID | None = None,
) -> list[UUID]:
    """Those that `visible` lets through, newest first, one more than `most` if there are. `query` is a tsquery's
    literal."""
    ask = _Asking(actor, table, visible, query)
    wanted = most + 1
    ids: list[UUID]
    ids, edge = ask(_LOOK, before=before or NEWER_THAN_ALL, window=WINDOW, most=wanted)
    if edge is None:
        return ids
    window = min(WIDEST, 2 * WINDOW * wanted // len(ids)) if len(ids) >= SOME else 1
    while edge is not None and len(ids) < wanted:
        found, older, edge = ask(_REST, before=edge, window=window, most=wanted - len(ids))
        ids += found + older
        window = 1
    return ids


@dataclass(frozen=True, slots=True)
class _Asking:
    """Each statement answers one row."""

    actor: Actor
    table: Table
    visible: "QuerySet[Any]"
    query: str

    def __call__(self, statement: str, **given: Any) -> tuple[Any, ...]:
        allowed, params = self.visible.order_by().values("pk").query.sql_with_params()
        table = self.table
        text = statement.format(table=table.name, parent=table.parent, only=table.only, visible=_named(allowed))
        places: dict[str, Any] = {f"visible{position}": value for position, value in enumerate(params)}
        own: dict[str, Any] = {
            "workspace": self.actor.workspace_id,
            "query": self.query,
            "places": PLACES,
            "rows": ROWS,
            "enough": ENOUGH,
            "oldest": OLDER_THAN_ALL,
        }
        with connection.cursor() as cursor:
            cursor.execute(text, {**places, **own, **given})
            while cursor.description is None:
                cursor.nextset()
            row: tuple[Any, ...] = cursor.fetchone()
        return row


def _named(sql: str) -> str:
    """Django's parameters have places, ours have names."""
    parts = sql.split("%s")
    return "".join(f"{part}%(visible{place})s" for place, part in enumerate(parts[:-1])) + parts[-1]
