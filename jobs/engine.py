"""Runs one claimed job and settles how it went: done, again later, or given up with the reason kept."""

import logging
import random
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from uuid import UUID

from config.live.unit import unit_of_work
from jobs import claims, leases, tasks
from jobs.errors import LeaseLost, ProviderError, RetryLater, WorkerDied, code_of, describe
from jobs.running import RunningJob
from jobs.tasks import OnFailed, Task

logger = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 600.0
JITTER = 0.2
# A peer may ask for more patience than our own back-off has, within reason.
LONGEST_WAIT_SECONDS = 24 * 3600.0
# A head that backs off keeps its lane closed so long at most, for the sake of order.
LANE_HELD = timedelta(seconds=60)
# A hook may lose a deadlock; one that keeps raising is left out, so that the failure shows at all.
HOOK_TRIES = 3


_listeners: list[Callable[[UUID | None], None]] = []


def on_ended(listener: Callable[[UUID | None], None]) -> None:
    """`listener(workspace_id)` is called after every run, however it went. It must be quick and never raise."""
    _listeners.append(listener)


def run(job: RunningJob) -> None:
    """Never raises but for what stops the process, or when the database cannot be told: the lease then runs out."""
    try:
        _run(job)
    finally:
        for listener in _listeners:
            listener(job.workspace_id)


def group_of(job: RunningJob) -> str:
    """Whom it may go with; "" when it is to be done alone, as whatever has been tried before is."""
    together = tasks.named(job.type).together
    return together.group(job) if together and job.attempt == 1 and not job.died else ""


def run_together(jobs: Sequence[RunningJob]) -> bool:
    """All of them in one unit of work. False when anything was wrong: nothing has happened, and each is for `run`."""
    together = tasks.named(jobs[0].type).together
    if together is None:
        return False
    try:
        with unit_of_work():
            results = together.handler(jobs)
            done = [(job.id, job.lease_token, result) for job, result in zip(jobs, results, strict=True)]
            followed = leases.complete_all(done)
    except Exception as error:  # noqa: BLE001 - which of them it was, and what becomes of it, shows when it runs alone
        _log("job_not_together", jobs[0], error)
        return False
    for job, is_followed in zip(jobs, followed, strict=True):
        job.completed, job.followed = True, is_followed
    for listener in _listeners:
        for workspace_id in {job.workspace_id for job in jobs}:
            listener(workspace_id)
    return True


def _run(job: RunningJob) -> None:
    task = tasks.named(job.type)
    try:
        if job.died:
            leases.note_death(job.id, job.attempt - 1, error=describe(WorkerDied()), code=WorkerDied.code)
        if job.attempt > job.max_attempts:
            raise WorkerDied
        _call(task, job)
    except LeaseLost as error:
        _log("job_lost", job, error)
    except Exception as error:  # noqa: BLE001 - whatever a handler raises becomes the job's state
        _settle(task, job, error)


def drain(*, only: Collection[str] | None = None) -> int:
    """Runs what is due in this thread, until nothing is; returns how many. For tests and commands without a worker.
    `only` names the types."""
    known = [task for name, task in tasks.registered().items() if only is None or name in only]
    done = 0
    while jobs := [job for outgoing in (False, True) for job in claims.claim(known, outgoing=outgoing, limit=1)]:
        for job in jobs:
            run(job)
            done += 1
    return done


def backoff(attempt: int) -> float:
    """2, 4, 8 s … at most ten minutes, shifted a little so that those who failed together don't come back together."""
    seconds = min(FIRST_BACKOFF_SECONDS * 2.0 ** (attempt - 1), LONGEST_BACKOFF_SECONDS)
    return seconds * random.uniform(1.0, 1.0 + JITTER)  # noqa: S311 - no secret


def _call(task: Task, job: RunningJob) -> None:
    if task.atomic:
        with unit_of_work():
            result = task.handler(job, **job.payload)
            followed = leases.complete(job.id, job.lease_token, result)
        job.completed, job.followed = True, followed
        return
    result = task.handler(job, **job.payload)
    if not job.completed:
        with job.completing(result=result):
            pass


def _settle(task: Task, job: RunningJob, error: Exception) -> None:
    if job.completed:
        # The effect has committed; what the handler did after it is its own affair.
        _log("job_raised_after_completing", job, error)
        return
    try:
        if _is_final(job, error):
            _give_up(task, job, error)
        else:
            _again(job, error)
    except LeaseLost as lost:
        _log("job_lost", job, lost)


def _is_final(job: RunningJob, error: Exception) -> bool:
    if isinstance(error, RetryLater):
        return error.counts and job.last_attempt
    # What may have been sent is never sent again by itself, though it may have failed for a passing reason.
    never_again = isinstance(error, ProviderError) and (error.permanent or error.maybe_sent)
    return never_again or job.last_attempt


def _again(job: RunningJob, error: Exception) -> None:
    _put_back(job, error, seconds=_delay(job, error), refund=isinstance(error, RetryLater) and not error.counts)
    _log("job_put_back", job, error)


def _delay(job: RunningJob, error: Exception) -> float:
    if isinstance(error, RetryLater):
        return min(max(0.0, error.after), LONGEST_WAIT_SECONDS)
    asked = error.retry_after if isinstance(error, ProviderError) else None
    return max(backoff(job.attempt), min(asked or 0.0, LONGEST_WAIT_SECONDS))


@unit_of_work
def _put_back(job: RunningJob, error: Exception, *, seconds: float, refund: bool) -> None:
    leases.put_back(
        job.id,
        job.lease_token,
        delay=timedelta(seconds=seconds),
        holds=timedelta() if isinstance(error, RetryLater) and error.frees_lane else LANE_HELD,
        error=describe(error),
        code=code_of(error),
        refund=refund,
    )


def _give_up(task: Task, job: RunningJob, error: Exception) -> None:
    _log("job_failed", job, error)
    for _ in range(HOOK_TRIES if task.on_failed else 0):
        try:
            _fail(job, error, task.on_failed)
        except LeaseLost:
            raise
        except Exception as broken:  # noqa: BLE001 - a hook that raises must not keep the job from being seen as failed
            _log("job_hook_failed", job, broken)
        else:
            return
    _fail(job, error, None)


@unit_of_work
def _fail(job: RunningJob, error: Exception, on_failed: OnFailed | None) -> None:
    if on_failed:
        on_failed(job, error)
    leases.fail(job.id, job.lease_token, error=describe(error), code=code_of(error))


def _log(action: str, job: RunningJob, error: Exception) -> None:
    logger.warning(
        "%s %s %d: %s",
        action,
        job.type,
        job.id,
        describe(error),
        extra={"action": action, "job_id": job.id, "type": job.type, "attempt": job.attempt},
    )
