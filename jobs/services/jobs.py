"""What a person may do to a job: try again, or let it be. Who may is decided above, where roles are known."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from config.live.unit import unit_of_work
from jobs import tasks
from jobs.errors import MoveRefused, NoSuchJob, Stopped, UnknownTask
from jobs.models import Job
from jobs.payloads import dump
from jobs.queue import NewJob, wake
from jobs.running import RunningJob
from jobs.states import Status, by_human

# A fresh start: all attempts, due now. The token rises, so that no former holder can still speak for it.
_FRESH = """
status = 'pending', attempts = 0, next_attempt = now(), blocks_until = NULL, completed_at = NULL, result = NULL,
    lease_token = lease_token + 1
"""
_RETRY = f"UPDATE job SET {_FRESH} WHERE id = %(id)s AND status = ANY(%(sources)s)"  # noqa: S608 - a constant
# Waiting for its next try: the attempts go on counting.
_HURRY = """
UPDATE job SET next_attempt = now(), blocks_until = NULL
WHERE id = %(id)s AND status = 'pending' AND next_attempt > now()
"""
_DISMISS = """
UPDATE job SET status = 'dismissed', completed_at = now(), blocks_until = NULL, lease_token = lease_token + 1
WHERE id = %(id)s AND status = %(was)s
"""
_SUPERSEDE = """
UPDATE job SET status = 'dismissed', completed_at = now(), lease_token = lease_token + 1,
    result = jsonb_build_object('replaced_by', %(by)s::text)
WHERE key = %(key)s AND status = 'failed'
"""
# What the job was made for may be read differently now.
_RENEW_FAILED = f"""
UPDATE job SET {_FRESH}, type = given.type, payload = given.payload::jsonb, outgoing = given.outgoing,
    max_attempts = given.max_attempts
FROM unnest(%(keys)s::text[], %(types)s::text[], %(payloads)s::text[], %(outgoing)s::bool[], %(max_attempts)s::int[])
    AS given (key, type, payload, outgoing, max_attempts)
WHERE job.key = given.key AND job.status = 'failed'
"""  # noqa: S608
_RETRY_FAILED = f"""
UPDATE job SET {_FRESH} WHERE id IN (
    SELECT id FROM job WHERE workspace_id IS NOT DISTINCT FROM %(workspace)s AND id = ANY(%(ids)s) AND status = 'failed'
    ORDER BY id FOR UPDATE SKIP LOCKED
)
"""  # noqa: S608


@unit_of_work
def retry_job(*, job_id: int) -> Job:
    """Failed or dismissed becomes pending. The error of the last time stays until the next attempt ends."""
    job = _move(_RETRY, job_id, by_human(Status.PENDING))
    wake()
    return job


@unit_of_work
def hurry_job(*, job_id: int) -> Job:
    """One that waits for its next try has it now."""
    job = _move(_HURRY, job_id, [])
    wake()
    return job


@unit_of_work
def dismiss_job(*, job_id: int) -> Job:
    """Failed or pending, and nobody is to try again. What still waited for a pending one is told that it failed."""
    job = Job.objects.select_for_update(no_key=True).filter(pk=job_id).first()
    if job is None:
        raise NoSuchJob
    if job.status not in by_human(Status.DISMISSED):
        raise MoveRefused(status=job.status)
    if job.status == Status.PENDING:
        _tell_stopped(job)
    return _move(_DISMISS, job_id, [job.status], was=job.status)


@unit_of_work
def supersede_job(*, key: str, by: str) -> None:
    """A failed job whose work another one does now needs nobody any more."""
    with connection.cursor() as cursor:
        cursor.execute(_SUPERSEDE, {"key": key, "by": by})


@unit_of_work
def retry_failed(*, workspace_id: UUID | None, job_ids: Sequence[int]) -> int:
    """How many of them were failed and are tried again."""
    with connection.cursor() as cursor:
        cursor.execute(_RETRY_FAILED, {"workspace": workspace_id, "ids": list(job_ids)})
        moved = int(cursor.rowcount)
    if moved:
        wake()
    return moved


@unit_of_work
def renew_failed(jobs: Sequence[NewJob]) -> int:
    """Those of these keys that failed are tried again, as they are given here. The others stay as they are."""
    of = sorted(((job, tasks.named(job.type)) for job in jobs), key=lambda pair: pair[0].key)
    with connection.cursor() as cursor:
        cursor.execute(
            _RENEW_FAILED,
            {
                "keys": [job.key for job, _ in of],
                "types": [job.type for job, _ in of],
                "payloads": [dump(job.payload) for job, _ in of],
                "outgoing": [task.outgoing for _, task in of],
                "max_attempts": [task.max_attempts for _, task in of],
            },
        )
        moved = int(cursor.rowcount)
    if moved:
        wake()
    return moved


def _tell_stopped(job: Job) -> None:
    try:
        on_failed = tasks.named(job.type).on_failed
    except UnknownTask:
        return
    if on_failed:
        on_failed(_as_running(job), Stopped())


def _as_running(job: Job) -> RunningJob:
    return RunningJob(
        job.pk,
        job.key,
        job.type,
        job.lane,
        job.workspace_id,
        job.payload,
        job.attempts,
        job.max_attempts,
        job.lease_token,
    )


def _move(statement: str, job_id: int, sources: list[str], **params: Any) -> Job:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": job_id, "sources": sources, **params})
        moved = cursor.rowcount
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NoSuchJob
    if not moved:
        raise MoveRefused(status=job.status)
    return job
