"""What a person may do to a job: try again, or let it be. Who may is decided above, where roles are known."""

from django.db import connection

from config.live.unit import unit_of_work
from jobs.errors import MoveRefused, NoSuchJob
from jobs.models import Job
from jobs.queue import wake
from jobs.states import Status, by_human

# A fresh start: all attempts, due now. The token rises, so that no former holder can still speak for it.
_RETRY = """
UPDATE job SET status = 'pending', attempts = 0, next_attempt = now(), blocks_until = NULL, completed_at = NULL,
    lease_token = lease_token + 1
WHERE id = %(id)s AND status = ANY(%(sources)s)
"""
_DISMISS = """
UPDATE job SET status = 'dismissed', completed_at = now(), blocks_until = NULL, lease_token = lease_token + 1
WHERE id = %(id)s AND status = ANY(%(sources)s)
"""


@unit_of_work
def retry_job(*, job_id: int) -> Job:
    """Failed or dismissed becomes pending. The error of the last time stays until the next attempt ends."""
    job = _move(_RETRY, job_id, Status.PENDING)
    wake()
    return job


@unit_of_work
def dismiss_job(*, job_id: int) -> Job:
    """Failed or pending, and nobody is to try again."""
    return _move(_DISMISS, job_id, Status.DISMISSED)


def _move(statement: str, job_id: int, target: Status) -> Job:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": job_id, "sources": by_human(target)})
        moved = cursor.rowcount
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NoSuchJob
    if not moved:
        raise MoveRefused(status=job.status)
    return job
