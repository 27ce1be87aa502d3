"""Runs one job here and now, as a worker would that had just claimed it; other tests' jobs stay where they are."""

from django.db import connection

from jobs import engine
from jobs.running import RunningJob

_CLAIM_ONE = """
UPDATE job SET status = 'processing', attempts = attempts + 1, lease_token = lease_token + 1, started_at = now(),
    lease_until = now() + interval '30 s'
WHERE id = %s AND status = 'pending'
RETURNING id, key, type, lane, workspace_id, payload::text, attempts, max_attempts, lease_token, false
"""

_TAKE_OVER = """
UPDATE job SET status = 'processing', attempts = attempts + 1, lease_token = lease_token + 1, started_at = now(),
    lease_until = now() + interval '30 s'
WHERE id = %s AND status IN ('pending', 'processing')
RETURNING id, key, type, lane, workspace_id, payload::text, attempts, max_attempts, lease_token
"""


def run_job(job_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_ONE, [job_id])
        row = cursor.fetchone()
    if row:
        engine.run(RunningJob.from_row(row))


def hold(job_id: int, *, died: bool = False) -> RunningJob:
    """The job in the hands of one more worker, as if the one that had it were dead. Run it with `engine.run`."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_OVER, [job_id])
        row = cursor.fetchone()
    assert row, "the job has ended"
    return RunningJob.from_row((*row, died))
