"""How many contacts stand in each column of the board, and which tags are in use."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from django.db import connection
from django.db.models import Count, QuerySet

from crm.access import check
from crm.actors import Actor
from crm.models import Contact, Workspace
from crm.queries.contact_filters import narrowed
from crm.queries.time_limit import time_limit
from crm.roles import Action

AT_MOST = 1000  # more is "999+" to whoever looks
TAGGED = 5000  # contacts whose tags are known: the newest
MOST_TAGS = 200
# Which words there are is found by skipping from one to the next in the index; each is counted as far as it matters.
_COLUMNS = """
    with recursive used(lead_status) as (
        (select lead_status from crm_contact where workspace_id = %(workspace)s and deleted_at is null
         order by lead_status limit 1)
        union all
        select (select c.lead_status from crm_contact c where c.workspace_id = %(workspace)s and c.deleted_at is null
            and c.lead_status > used.lead_status order by c.lead_status limit 1)
        from used where used.lead_status is not null
    )
    select used.lead_status, (select count(*) from (
        select from crm_contact c where c.workspace_id = %(workspace)s and c.deleted_at is null
        and c.lead_status = used.lead_status limit %(most)s) as counted)
    from used where used.lead_status is not null limit 100
"""
_TAGS = """
    select tag, count(*) from (
        select tags from crm_contact where workspace_id = %(workspace)s and deleted_at is null and tags <> '{}'
        order by created_at desc, id desc limit %(contacts)s
    ) as tagged, unnest(tagged.tags) as tag
    group by tag order by count(*) desc, tag limit %(tags)s
"""
# The same over a row of crm_workspace, as JSON
TAGS_OF_WORKSPACE = f"""
    (select jsonb_agg(jsonb_build_object('name', found.tag, 'count', found.count) order by found.count desc, found.tag)
     from ({_TAGS % {"workspace": "crm_workspace.id", "contacts": TAGGED, "tags": MOST_TAGS}}) as found)
"""  # noqa: S608 - constants alone


class ColumnPayload(TypedDict):
    lead_status: str
    count: int
    more: bool  # than `count`


class BoardPayload(TypedDict):
    columns: list[ColumnPayload]
    total: int
    more: bool


class TagPayload(TypedDict):
    name: str
    count: int


def get_board(
    actor: Actor,
    query: Mapping[str, str],
    *,
    known: Sequence[str] | None = None,
    rows: "QuerySet[Contact] | None" = None,
) -> BoardPayload:
    """The workspace's columns in their order, then every other word in use. `known`, `rows`: read already."""
    check(actor, Action.READ_INBOX)
    counts = _counted(actor, query, rows)
    if known is None:
        known = Workspace.objects.values_list("lead_statuses", flat=True).get(pk=actor.workspace_id)
    names = [*known, *sorted(name for name in counts if name not in known)]
    columns: list[ColumnPayload] = [
        {
            "lead_status": name,
            "count": min(counts.get(name, 0), AT_MOST - 1),
            "more": counts.get(name, 0) >= AT_MOST,
        }
        for name in names
    ]
    return {
        "columns": columns,
        "total": sum(column["count"] for column in columns),
        "more": any(column["more"] for column in columns),
    }


def _counted(actor: Actor, query: Mapping[str, str], rows: "QuerySet[Contact] | None") -> dict[str, int]:
    if any(name not in {"sort", "limit", "cursor"} for name in query):
        rows = narrowed(actor, query)[0] if rows is None else rows
        with time_limit():
            return dict(rows.order_by().values_list("lead_status").annotate(count=Count("pk")))
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, {"workspace": actor.workspace_id, "most": AT_MOST})
        return dict(cursor.fetchall())


def get_tags(actor: Actor) -> list[TagPayload]:
    """Those in use, the most used first."""
    check(actor, Action.READ_INBOX)
    with connection.cursor() as cursor:
        cursor.execute(_TAGS, {"workspace": actor.workspace_id, "contacts": TAGGED, "tags": MOST_TAGS})
        return [{"name": name, "count": count} for name, count in cursor.fetchall()]
