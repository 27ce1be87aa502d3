"""How much waits, runs, failed and was done, capped. What is open is counted whenever somebody asks, since a page that
is told of a change looks once; what is done is the long count, kept for a moment since many may ask at once."""

import threading
import time
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db import connection
from django.db.models import IntegerField
from django.db.models.expressions import RawSQL

from jobs import crons
from webhooks.outbox.access import Manager

CAP = 1_000  # beyond it a person reads "1 000+"
DONE_CAP = 20_000
SAMPLE = 1_000  # newest completed jobs, for how long they took
FRESH = 1.0  # seconds

_OF = "from job where workspace_id = %(workspace)s and status"
_OPEN = f"""
select
  (select count(*) from (select 1 {_OF} = 'pending' and last_error = '' limit {CAP + 1}) x),
  (select min(least(next_attempt, created_at)) from
    (select next_attempt, created_at {_OF} = 'pending' and last_error = '' order by id limit {CAP}) x),
  (select count(*) from (select 1 {_OF} = 'processing' limit {CAP + 1}) x),
  (select count(*) from (select 1 {_OF} = 'pending' and last_error <> '' limit {CAP + 1}) x),
  (select min(next_attempt) from (select next_attempt {_OF} = 'pending' and last_error <> '' limit {CAP}) x),
  (select count(*) from (select 1 {_OF} = 'failed' limit {CAP + 1}) x),
  (select count(*) from (
    select 1 from webhooks_delivery where workspace_id = %(workspace)s and state = 'failed' limit {CAP + 1}) x)
"""  # noqa: S608 - constants only
_DONE = f"""
select
  (select count(*) from (
    select 1 {_OF} = 'completed' and completed_at > now() - interval '24 h' limit {DONE_CAP + 1}) x),
  (select percentile_cont(0.95) within group (order by extract(epoch from took) * 1000) from (
    select completed_at - started_at as took {_OF} = 'completed' and completed_at > now() - interval '24 h'
    order by id desc limit {SAMPLE}) x where took >= interval '0'),
  (select count(*) from (select 1 from webhooks_delivery where workspace_id = %(workspace)s limit {DONE_CAP + 1}) x),
  (select count(*) from (select 1 from webhooks_call where workspace_id = %(workspace)s limit {DONE_CAP + 1}) x)
"""  # noqa: S608
_FAILED = f"""
(select count(*) from (
  select 1 from job where job.workspace_id = crm_workspace.id and job.status = 'failed' limit {CAP + 1}) x)
"""  # noqa: S608


class Figures(TypedDict):
    pending: int
    oldest_pending: datetime | None
    processing: int
    retrying: int
    next_retry: datetime | None
    failed: int
    done: int
    p95_ms: int | None
    deliveries: int
    failed_deliveries: int
    calls: int
    crons: int
    open: int
    capped: int
    done_capped: int


_Done = tuple[int, float | None, int, int]
_lock = threading.Lock()
_kept: dict[UUID, tuple[float, _Done]] = {}


def get_figures(who: Manager) -> Figures:
    """A number above its cap means "more than that"."""
    pending, oldest, processing, retrying, next_retry, failed, broken = _row(_OPEN, who.workspace_id)
    done, p95, deliveries, calls = _done(who.workspace_id)
    return {
        "pending": pending,
        "oldest_pending": oldest,
        "processing": processing,
        "retrying": retrying,
        "next_retry": next_retry,
        "failed": failed,
        "done": done,
        "p95_ms": None if p95 is None else round(p95),
        "deliveries": deliveries,
        "failed_deliveries": broken,
        "calls": calls,
        "crons": len(crons.registered()),
        "open": pending + processing + retrying + failed,
        "capped": CAP,
        "done_capped": DONE_CAP,
    }


def failed_mark(reader: UUID) -> RawSQL:
    """The number at the rail's entry to the outbox, over a row of the workspace."""
    return RawSQL(_FAILED, (), IntegerField())  # noqa: S611 - a constant


def _done(workspace_id: UUID) -> _Done:
    with _lock:
        kept = _kept.get(workspace_id)
    if kept and time.monotonic() - kept[0] < FRESH:
        return kept[1]
    found: _Done = _row(_DONE, workspace_id)
    with _lock:
        if len(_kept) > CAP:
            _kept.clear()
        _kept[workspace_id] = time.monotonic(), found
    return found


def _row(sql: str, workspace_id: UUID) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"workspace": workspace_id})
        return cursor.fetchone()
