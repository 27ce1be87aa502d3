"""What runs by the clock. Beat sends the names; the row in job_meta says whether one is due and keeps two from running.

So a scheduler that restarts, or runs twice by mistake, changes nothing: it only asks more often.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

from django.db import connection, transaction
from django.utils.module_loading import autodiscover_modules

from jobs import nudge, tasks
from jobs.errors import UnknownTask, code_of, describe
from jobs.models import JobMeta
from jobs.payloads import JSON, dump

logger = logging.getLogger(__name__)

Stats: TypeAlias = Mapping[str, JSON]
CronFunction: TypeAlias = Callable[[], Stats | None]
F = TypeVar("F", bound=CronFunction)

# Beat asks at least so often; asking is one conditional update.
ASK_EVERY = timedelta(seconds=60)
# A run that has not ended by then was killed, and another may begin.
LONGEST_RUN = timedelta(minutes=15)
# Two clocks that tick alike drift a little; without slack every second tick would come too early.
SLACK = 0.9
# One that is so much later than its turn is late, not just waiting for the next tick.
LATE = timedelta(minutes=2)

KEEP_COMPLETED = timedelta(days=7)
CLEANUP_BATCH = 5_000
UNKNOWN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Cron:
    name: str
    every: timedelta
    function: CronFunction
    longest_run: timedelta

    @property
    def ask_every(self) -> timedelta:
        return min(self.every, ASK_EVERY)

    def is_overdue(self, last_run_at: datetime | None, now: datetime) -> bool:
        return last_run_at is None or now - last_run_at > self.every + max(self.every, LATE)


_registry: dict[str, Cron] = {}
_loaded = False


def cron(name: str, *, every: timedelta, longest_run: timedelta = LONGEST_RUN) -> Callable[[F], F]:
    """Registers a function that runs `every` so often, in one process at a time. What it returns is kept as stats."""

    def register(function: F) -> F:
        _registry[name] = Cron(name, every, function, longest_run)
        return function

    return register


def registered() -> dict[str, Cron]:
    global _loaded
    if not _loaded:
        autodiscover_modules("crons")
        _loaded = True
    return dict(_registry)


def last_runs() -> dict[str, JobMeta]:
    """By name, of those that ran or are listed; job_meta holds other marks besides."""
    return {row.name: row for row in JobMeta.objects.filter(name__in=list(registered()))}


def run(name: str) -> bool:
    """Runs it if it is due and nobody else does; False otherwise."""
    known = registered()[name]
    _list_all()
    token = _begin(known)
    if token is None:
        return False
    began = time.monotonic()
    stats, error = _outcome(known)
    took = timedelta(seconds=time.monotonic() - began)
    _end(known, token, took, stats, error)
    return True


_listed = False


def _list_all() -> None:
    """One row for each, once a process, so that one that has never run is seen too."""
    global _listed
    if _listed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO job_meta (name, stats) SELECT unnest(%s::text[]), '{}' ON CONFLICT (name) DO NOTHING",
            [sorted(registered())],
        )
    _listed = True


def _outcome(known: Cron) -> tuple[Stats, Exception | None]:
    try:
        return known.function() or {}, None
    except Exception as error:  # noqa: BLE001 - kept in the row, and the clock goes on
        logger.error("cron_failed %s: %s", known.name, describe(error), extra={"action": "cron_failed"})
        return {}, error


_BEGIN = """
INSERT INTO job_meta AS meta (name, last_run_at, running_since, run_token, stats)
VALUES (%(name)s, now(), now(), 1, '{}')
ON CONFLICT (name) DO UPDATE SET last_run_at = now(), running_since = now(), run_token = meta.run_token + 1
WHERE (meta.running_since IS NULL OR meta.running_since < now() - %(longest)s)
  AND (meta.last_run_at IS NULL OR meta.last_run_at <= now() - %(every)s)
RETURNING run_token
"""
# One that outlasted its time and was overtaken has nothing to say any more.
_END = """
UPDATE job_meta SET running_since = NULL, last_duration = %(took)s, last_status = %(status)s, last_error = %(error)s,
    stats = %(stats)s
WHERE name = %(name)s AND run_token = %(token)s
"""


def _begin(known: Cron) -> int | None:
    params: dict[str, Any] = {"name": known.name, "every": known.every * SLACK, "longest": known.longest_run}
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, params)
        row = cursor.fetchone()
    return row[0] if row else None


def _end(known: Cron, token: int, took: timedelta, stats: Stats, error: Exception | None) -> None:
    params: dict[str, Any] = {
        "name": known.name,
        "token": token,
        "took": took,
        "status": "failed" if error else "completed",
        "error": describe(error) if error else "",
        "stats": dump(stats),
    }
    with connection.cursor() as cursor:
        cursor.execute(_END, params)


@cron("jobs.sweep", every=timedelta(seconds=10))
def sweep() -> Stats:
    """The net under lost nudges: wakes a worker when something is due, and gives up on what no release knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM job WHERE status = 'pending' AND next_attempt <= now())"
            " OR EXISTS (SELECT 1 FROM job WHERE status = 'processing' AND lease_until < now())"
        )
        due = bool(cursor.fetchone()[0])
    if due:
        nudge.ring()
    return {"due": due, "unknown": _fail_unknown()}


def _fail_unknown() -> int:
    """A renamed or misspelt type would wait for ever and keep its lane closed."""
    error = UnknownTask("no task of that name in this release")
    params: dict[str, Any] = {
        "known": list(tasks.registered()),
        "after": UNKNOWN_AFTER,
        "error": describe(error),
        "code": code_of(error),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE job SET status = 'failed', completed_at = now(), last_error = %(error)s, error_code = %(code)s,"
            " blocks_until = NULL WHERE status = 'pending' AND next_attempt < now() - %(after)s"
            " AND NOT type = ANY(%(known)s)",
            params,
        )
        return int(cursor.rowcount)


@cron("jobs.cleanup", every=timedelta(hours=1))
def cleanup() -> Stats:
    """Completed jobs go after a week. Failed and dismissed ones stay: somebody may still ask why."""
    removed = attempts = 0
    while batch := _remove_completed():
        removed += batch
    while batch := _remove_attempts():
        attempts += batch
    return {"removed": removed, "attempts": attempts}


def _remove_completed() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE status = 'completed'"
            " AND completed_at < now() - %s::interval ORDER BY completed_at LIMIT %s FOR UPDATE SKIP LOCKED)",
            [str(KEEP_COMPLETED), CLEANUP_BATCH],
        )
        return int(cursor.rowcount)


def _remove_attempts() -> int:
    """Notes on tries whose job is gone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM job_attempt WHERE id IN (SELECT id FROM job_attempt AS noted"
            " WHERE NOT EXISTS (SELECT 1 FROM job WHERE job.id = noted.job_id) LIMIT %s)",
            [CLEANUP_BATCH],
        )
        return int(cursor.rowcount)


@cron("live.prune", every=timedelta(minutes=1))
def prune_live() -> Stats:
    """Here because config.live knows no clock."""
    from config.live.retention import prune

    return {"removed": prune()}
