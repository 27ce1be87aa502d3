"""Takes due jobs for a worker: in one statement, safe among any number of workers, keeping the order of each lane."""

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, OperationalError, transaction

from jobs import statements
from jobs.errors import WorkerDied, describe
from jobs.running import RunningJob
from jobs.tasks import Task

TRIES = 3
_DEADLOCK = "40P01"

# Held in the order of an index, whatever the planner thinks of the backlog: it has usually counted an empty one, and
# would then read and sort all of a full one for every claim.
_IN_ORDER = """
SELECT set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true)
"""

# A lane's head is its oldest job that holds it: due, or backing off for less than a minute. A job that was enqueued for
# later holds nothing yet. The lane is compared as a range because an equality lets the planner walk the primary key.
_HEAD = """
SELECT head.id FROM job AS head
WHERE head.lane >= {lane} AND head.lane <= {lane} AND head.lane <> '' AND head.status = 'pending'
  AND (head.next_attempt <= now() OR head.blocks_until > now())
ORDER BY head.lane, head.id LIMIT 1
"""
_TAKE = """
UPDATE job SET status = 'processing', attempts = attempts + 1, lease_token = lease_token + 1, started_at = now(),
    lease_until = now() + (%(leases)s::interval[])[array_position(%(types)s::text[], job.type)],
    last_error = CASE WHEN picked.died THEN %(death)s::text ELSE last_error END
FROM picked WHERE job.id = picked.id
RETURNING job.id, key, type, lane, workspace_id, payload::text, attempts, max_attempts, lease_token, picked.died
"""
_MINE = "outgoing = %(outgoing)s::bool AND array_position(%(types)s::text[], type) IS NOT NULL"

# A job whose lease ran out still occupies its lane, so it goes first. Should two claimers see different heads, the
# unique index on running lanes lets one of them through.
_CLAIM = f"""
WITH died AS MATERIALIZED (
    SELECT id FROM job WHERE status = 'processing' AND lease_until < now() AND {_MINE}
    ORDER BY lease_until LIMIT %(limit)s::int FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    SELECT id FROM job AS mine
    WHERE status = 'pending' AND next_attempt <= now() AND {_MINE}
      AND (lane = '' OR (
        lane NOT IN (SELECT lane FROM job WHERE status = 'processing' AND lane <> '')
        AND id = ({_HEAD.format(lane="mine.lane")})
      ))
    ORDER BY outgoing, next_attempt, id LIMIT %(limit)s::int FOR UPDATE SKIP LOCKED
), picked AS (
    SELECT id, true AS died FROM died UNION ALL SELECT id, false FROM due LIMIT %(limit)s::int
)
{_TAKE}
"""  # noqa: S608 - constants only
# Locked by its id: with SKIP LOCKED inside, a head that somebody holds would give way to the second in the lane.
_CLAIM_NEXT = f"""
WITH picked AS MATERIALIZED (
    SELECT id, false AS died FROM job
    WHERE id = ({_HEAD.format(lane="%(lane)s::text")}) AND status = 'pending' AND next_attempt <= now() AND {_MINE}
    FOR UPDATE SKIP LOCKED
)
{_TAKE}
"""  # noqa: S608


def claim(tasks: Collection[Task], *, outgoing: bool, limit: int) -> list[RunningJob]:
    """Up to `limit` jobs, each of another lane, oldest due first. Types that this release doesn't know are left."""
    params = {**_params(tasks), "outgoing": outgoing, "limit": limit}
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                statements.execute(_IN_ORDER, {})
                return _taken(_CLAIM, params)
        except IntegrityError:
            continue  # another claimer was first in a lane; the next look sees it
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != _DEADLOCK:
                raise
    return []


def claim_next(tasks: Collection[Task], *, outgoing: bool, lane: str) -> RunningJob | None:
    """The head of one lane, for who has just finished its predecessor: however deep the lane, one probe."""
    try:
        with transaction.atomic():
            statements.execute(_IN_ORDER, {})
            jobs = _taken(_CLAIM_NEXT, {**_params(tasks), "outgoing": outgoing, "lane": lane})
    except IntegrityError:
        return None  # another claimer was first
    return jobs[0] if jobs else None


def _params(tasks: Collection[Task]) -> dict[str, Any]:
    return {
        "types": [task.name for task in tasks],
        "leases": [task.lease for task in tasks],
        "death": describe(WorkerDied()),
    }


def _taken(statement: str, params: dict[str, Any]) -> list[RunningJob]:
    return [RunningJob.from_row(row) for row in sorted(statements.execute(statement, params).fetchall())]
