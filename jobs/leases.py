"""Statements by which the holder of a lease speaks about its job. Each checks the fencing token."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from jobs import statements
from jobs.errors import LeaseLost
from jobs.payloads import JSON, dump

# clock_timestamp: the effect's transaction may have begun long ago.
_COMPLETE = """
UPDATE job SET status = 'completed', completed_at = clock_timestamp(), result = mine.result::jsonb,
    lease_until = NULL, blocks_until = NULL, last_error = '', error_code = ''
FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[], %(results)s::text[]) AS mine (id, token, result)
WHERE job.id = mine.id AND job.lease_token = mine.token AND job.status = 'processing'
RETURNING job.id, job.lane <> '' AND EXISTS (
    SELECT 1 FROM job AS follower WHERE follower.lane = job.lane AND follower.lane <> '' AND follower.status = 'pending'
)
"""
# Each failed try is noted beside it. One that only waits (a refunded attempt) is noted when its reason is a new one:
# what the statement reads of the job is how it was before.
_NOTED = """
INSERT INTO job_attempt (job_id, attempt, took, error, error_code)
SELECT job.id, job.attempts, clock_timestamp() - job.started_at, %(error)s, %(code)s
FROM moved JOIN job ON job.id = moved.id
WHERE %(refund)s::int = 0 OR job.last_error <> %(error)s
"""
# The lane is held for a minute from the first failure, however often it fails after that.
_PUT_BACK = f"""
WITH moved AS (UPDATE job SET status = 'pending', next_attempt = now() + %(delay)s, lease_until = NULL,
    blocks_until = least(blocks_until, now() + %(holds)s), attempts = attempts - %(refund)s::int,
    last_error = %(error)s, error_code = %(code)s
WHERE id = %(id)s AND lease_token = %(token)s AND status = 'processing' RETURNING id),
noted AS ({_NOTED})
SELECT id FROM moved
"""  # noqa: S608 - constants only
_FAIL = f"""
WITH moved AS (UPDATE job SET status = 'failed', completed_at = clock_timestamp(), lease_until = NULL,
    blocks_until = NULL, attempts = least(attempts, max_attempts), last_error = %(error)s, error_code = %(code)s
WHERE id = %(id)s AND lease_token = %(token)s AND status = 'processing' RETURNING id),
noted AS ({_NOTED})
SELECT id FROM moved
"""  # noqa: S608
# The claim that took it over has counted the death already; how long it ran nobody knows.
_NOTE_DEATH = """
INSERT INTO job_attempt (job_id, attempt, error, error_code) VALUES (%(id)s, %(attempt)s, %(error)s, %(code)s)
"""
_EXTEND = """
UPDATE job SET lease_until = now() + %(by)s WHERE id = %(id)s AND lease_token = %(token)s AND status = 'processing'
"""
# SKIP LOCKED: a row that is locked is about to complete, and waiting for it would hold up the others' renewal.
_RENEW = """
UPDATE job SET lease_until = now() + held.lease FROM (
    SELECT job.id, mine.lease
    FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[], %(leases)s::interval[]) AS mine (id, token, lease)
    JOIN job ON job.id = mine.id AND job.lease_token = mine.token AND job.status = 'processing'
    FOR UPDATE OF job SKIP LOCKED
) AS held WHERE job.id = held.id
"""
# Never begun, so it costs no attempt.
_RELEASE = """
UPDATE job SET status = 'pending', lease_until = NULL, attempts = attempts - 1
FROM unnest(%(ids)s::bigint[], %(tokens)s::bigint[]) AS mine (id, token)
WHERE job.id = mine.id AND job.lease_token = mine.token AND job.status = 'processing'
"""


def complete(job_id: int, token: int, result: JSON) -> bool:
    """Whether others wait in its lane."""
    return complete_all([(job_id, token, result)])[0]


def complete_all(done: Sequence[tuple[int, int, JSON]]) -> list[bool]:
    """Of each (job, token, result) whether others wait in its lane."""
    ids, tokens, results = zip(*done, strict=True)
    said = [None if result is None else dump(result) for result in results]
    held = statements.execute(_COMPLETE, {"ids": list(ids), "tokens": list(tokens), "results": said})
    followed = dict(held.fetchall())
    if lost := [job_id for job_id in ids if job_id not in followed]:
        raise LeaseLost(f"job {lost[0]} is no longer ours")
    return [followed[job_id] for job_id in ids]


def put_back(
    job_id: int, token: int, *, delay: timedelta, holds: timedelta, error: str, code: str, refund: bool = False
) -> None:
    """Pending again, due after `delay`. `refund` gives the attempt back."""
    params = {"id": job_id, "token": token, "delay": delay, "holds": holds, "error": error, "code": code}
    _held(_PUT_BACK, params | {"refund": int(refund)})


def fail(job_id: int, token: int, *, error: str, code: str) -> None:
    _held(_FAIL, {"id": job_id, "token": token, "error": error, "code": code, "refund": 0})


def note_death(job_id: int, attempt: int, *, error: str, code: str) -> None:
    statements.execute(_NOTE_DEATH, {"id": job_id, "attempt": attempt, "error": error, "code": code})


def extend(job_id: int, token: int, by: timedelta) -> None:
    _held(_EXTEND, {"id": job_id, "token": token, "by": by})


def renew(held: Sequence[tuple[int, int, timedelta]]) -> None:
    ids, tokens, leases = zip(*held, strict=True)
    statements.execute(_RENEW, {"ids": list(ids), "tokens": list(tokens), "leases": list(leases)})


def release(held: Sequence[tuple[int, int]]) -> None:
    ids, tokens = zip(*held, strict=True)
    statements.execute(_RELEASE, {"ids": list(ids), "tokens": list(tokens)})


def _held(statement: str, params: dict[str, Any]) -> None:
    if not statements.execute(statement, params).rowcount:
        raise LeaseLost(f"job {params['id']} is no longer ours")
