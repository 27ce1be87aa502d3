"""Takes due jobs for a worker: one statement, safe among any number of workers, keeping the order of each lane."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, OperationalError, connection

from jobs.errors import WorkerDied, describe
from jobs.running import RunningJob
from jobs.tasks import Task

TRIES = 3
_DEADLOCK = "40P01"

# A lane's head is its oldest job that holds it: due, or backing off for less than a minute. A job that was enqueued for
# later holds nothing yet. The two look-ups are scalar subqueries on purpose: each is one probe of an index, where an
# anti-join would read the whole backlog. A job whose lease ran out still occupies its lane, so it goes first.
# Should two claimers see different heads, the unique index on running lanes lets one of them through.
_CLAIM = """
WITH died AS MATERIALIZED (
    SELECT id FROM job
    WHERE status = 'processing' AND lease_until < now() AND outgoing = %(outgoing)s AND type = ANY(%(types)s)
    ORDER BY lease_until LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    SELECT id FROM job AS mine
    WHERE status = 'pending' AND next_attempt <= now() AND outgoing = %(outgoing)s AND type = ANY(%(types)s)
      AND (lane = '' OR (
        id = (
            SELECT head.id FROM job AS head
            WHERE head.lane = mine.lane AND head.lane <> '' AND head.status = 'pending'
              AND (head.next_attempt <= now() OR head.blocks_until > now())
            ORDER BY head.id LIMIT 1
        ) AND (
            SELECT running.id FROM job AS running
            WHERE running.lane = mine.lane AND running.lane <> '' AND running.status = 'processing' LIMIT 1
        ) IS NULL
      ))
    ORDER BY next_attempt, id LIMIT greatest(0, %(limit)s - (SELECT count(*) FROM died)) FOR UPDATE SKIP LOCKED
), picked AS (
    SELECT id, true AS died FROM died UNION ALL SELECT id, false FROM due
)
UPDATE job SET status = 'processing', attempts = attempts + 1, lease_token = lease_token + 1, started_at = now(),
    lease_until = now() + (%(leases)s::interval[])[array_position(%(types)s::text[], job.type)],
    last_error = CASE WHEN picked.died THEN %(death)s ELSE last_error END
FROM picked WHERE job.id = picked.id
RETURNING job.id, key, type, lane, workspace_id, payload::text, attempts, max_attempts, lease_token, picked.died
"""


def claim(tasks: Sequence[Task], *, outgoing: bool, limit: int) -> list[RunningJob]:
    """Up to `limit` jobs, each of another lane, oldest due first. Types that this release doesn't know are left."""
    params = {
        "types": [task.name for task in tasks],
        "leases": [task.lease for task in tasks],
        "outgoing": outgoing,
        "limit": limit,
        "death": describe(WorkerDied()),
    }
    for _ in range(TRIES):
        try:
            return _claimed(params)
        except IntegrityError:
            continue  # another claimer was first in a lane; the next look sees it
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != _DEADLOCK:
                raise
    return []


def _claimed(params: dict[str, Any]) -> list[RunningJob]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, params)
        return sorted((RunningJob.from_row(row) for row in cursor.fetchall()), key=lambda job: job.id)
