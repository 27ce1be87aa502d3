"""What a person may do to a job."""

import pytest

from jobs import engine
from jobs.errors import MoveRefused, NoSuchJob, ProviderError
from jobs.services.jobs import dismiss_job, retry_job
from jobs.states import MOVES, Status
from tests.jobs.conftest import Types, add, take, take_one


def test_failed_job_that_is_retried_runs_again_from_the_start(types: Types):
    broken = [True]

    def handler(job):
        if broken:
            raise ProviderError("closed", permanent=True)

    task = types.add(handler, max_attempts=2)
    job = add(task)
    engine.run(take_one(task))
    retried = retry_job(job_id=job.pk)
    assert (retried.status, retried.attempts, retried.last_error) == ("pending", 0, "ProviderError: closed")
    broken.clear()
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.last_error) == ("completed", "")


def test_dismissed_job_runs_no_more_until_the_dismissal_is_taken_back(types: Types):
    task = types.add(lambda job: None)
    job = add(task)
    assert dismiss_job(job_id=job.pk).status == "dismissed"
    assert take(task) == []
    retry_job(job_id=job.pk)
    assert take_one(task).id == job.pk


def test_running_job_belongs_to_its_worker(types: Types):
    task = types.add(lambda job: None)
    job = add(task)
    held = take_one(task)
    for service in (retry_job, dismiss_job):
        with pytest.raises(MoveRefused) as refused:
            service(job_id=job.pk)
        assert refused.value.data == {"status": "processing"}
    engine.run(held)
    for service in (retry_job, dismiss_job):
        with pytest.raises(MoveRefused):
            service(job_id=job.pk)


def test_job_that_is_not_there_is_not_found():
    for service in (retry_job, dismiss_job):
        with pytest.raises(NoSuchJob):
            service(job_id=0)


def test_completed_is_the_end():
    assert not MOVES[Status.COMPLETED]
    assert set(MOVES) == set(Status)
