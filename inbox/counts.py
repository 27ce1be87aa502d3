"""How many conversations are open, whole, unassigned and by assignee: capped, one query a workspace, told as a signal.

There are no counter rows to contend for. Each process tells at most every 250 ms per workspace; the signal may be
lost, so a client also asks again with its next snapshot.
"""

from typing import TypedDict
from uuid import UUID

from django.db import connection

from config.live.coalesce import Coalescer
from config.live.events import signal
from config.live.log import HEAD
from config.live.unit import on_commit
from inbox.states import ConversationStatus, Scope

CAP = 1000  # beyond it a person reads "999+"
PAUSE = 0.25  # seconds between two tellings
BREATH = 0.1  # seconds: the message itself goes first, the numbers beside it may follow

_OPEN = f"""
    select 1 from inbox_conversation
    where workspace_id = %(workspace)s and scope = '{Scope.SUPPORT.value}' and deleted_at is null
      and merged_into_id is null and spam_at is null and status = '{ConversationStatus.OPEN.value}'
"""  # noqa: S608  # only constants are put in
_SQL = f"""
    select 'all', null::uuid, (select count(*) from ({_OPEN} limit {CAP + 1}) x)
    union all
    select 'unassigned', null, (select count(*) from ({_OPEN} and assignee_id is null limit {CAP + 1}) x)
    union all
    select 'assignee', m.user_id, (select count(*) from ({_OPEN} and assignee_id = m.user_id limit {CAP + 1}) x)
    from crm_member m where m.workspace_id = %(workspace)s
"""  # noqa: S608  # only constants are put in
_WITH_NUMBER = f"{_SQL} union all select 'number', null, {HEAD}"


class Counts(TypedDict):
    all: int
    unassigned: int
    by_assignee: dict[str, int]
    capped: int


NOTHING: Counts = {"all": 0, "unassigned": 0, "by_assignee": {}, "capped": CAP}


def get_counts(workspace_id: UUID) -> Counts:
    """A number above `capped` means "more than that"."""
    return _counts(_rows(_SQL, {"workspace": workspace_id}))


def get_counts_and_number(workspace_id: UUID, topic: str) -> tuple[Counts, int]:
    """And the topic's newest number, as of the same moment."""
    rows = _rows(_WITH_NUMBER, {"workspace": workspace_id, "topic": topic})
    return _counts(rows), next(number for name, _, number in rows if name == "number")


def _rows(sql: str, given: dict[str, UUID | str]) -> list[tuple[str, UUID | None, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[tuple[str, UUID | None, int]] = cursor.fetchall()
    return rows


def _counts(rows: list[tuple[str, UUID | None, int]]) -> Counts:
    whole = {name: count for name, _, count in rows if name != "assignee"}
    return {
        "all": whole["all"],
        "unassigned": whole["unassigned"],
        "by_assignee": {str(user): count for name, user, count in rows if name == "assignee" and count},
        "capped": CAP,
    }


def _tell(changes: set[tuple[UUID, str]]) -> None:
    for workspace_id, slug in changes:
        signal(f"inbox.{slug}", "counts", get_counts(workspace_id))


_teller: Coalescer[tuple[UUID, str]] = Coalescer("counts", _tell, breath=BREATH, pause=PAUSE)


def changed(workspace_id: UUID, slug: str) -> None:
    """Something that the counts depend on changed in this transaction."""
    on_commit(lambda: _teller.note((workspace_id, slug)))
