"""What stays of tries that did not work."""

from datetime import timedelta

import pytest

from jobs import crons, engine
from jobs.errors import MoveRefused, ProviderError, RetryLater
from jobs.models import Job, JobAttempt
from jobs.queue import NewJob
from jobs.services.jobs import dismiss_job, hurry_job, renew_failed, retry_failed, supersede_job
from tests.jobs.conftest import Types, add, take, take_one


def attempts(job: Job) -> list[tuple[int, str, str]]:
    rows = JobAttempt.objects.filter(job_id=job.pk).order_by("id")
    return [(row.attempt, row.error, row.error_code) for row in rows]


def due(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(next_attempt="2020-01-01T00:00Z")


def test_every_failed_try_is_noted_and_one_that_works_is_not(types: Types):
    errors = [ProviderError("busy", permanent=False, code="429"), ProviderError("down", permanent=False, code="500")]

    def handler(job):
        if errors:
            raise errors.pop(0)

    task = types.add(handler)
    job = add(task)
    for _ in range(3):
        due(job)
        engine.run(take_one(task))
    job.refresh_from_db()
    assert job.status == "completed"
    assert attempts(job) == [(1, "ProviderError: busy", "429"), (2, "ProviderError: down", "500")]
    assert all(row.took is not None for row in JobAttempt.objects.filter(job_id=job.pk))


def test_giving_up_is_noted_too(types: Types):
    def handler(job):
        raise ProviderError("closed", permanent=True, code="7")

    task = types.add(handler)
    job = add(task)
    engine.run(take_one(task))
    assert attempts(job) == [(1, "ProviderError: closed", "7")]


def test_waiting_again_for_the_same_thing_is_noted_once(types: Types):
    def handler(job):
        raise RetryLater("not yet", after=0)

    task = types.add(handler)
    job = add(task)
    for _ in range(3):
        due(job)
        engine.run(take_one(task))
    assert attempts(job) == [(1, "RetryLater: not yet", "retry_later")]


def test_dead_worker_is_noted_by_who_takes_over(types: Types):
    task = types.add(lambda job: None)
    job = add(task)
    take_one(task)
    Job.objects.filter(pk=job.pk).update(lease_until="2020-01-01T00:00Z")
    engine.run(take_one(task))
    job.refresh_from_db()
    assert job.status == "completed"
    assert [(number, code) for number, _, code in attempts(job)] == [(1, "worker_died")]


def test_notes_go_when_their_job_is_gone(types: Types):
    def handler(job):
        raise ProviderError("closed", permanent=True)

    task = types.add(handler)
    kept, gone = add(task), add(task)
    for taken in take(task):
        engine.run(taken)
    Job.objects.filter(pk=gone.pk).delete()
    crons.cleanup()
    assert attempts(kept)
    assert not attempts(gone)


def test_job_that_waits_can_be_hurried_and_keeps_its_count(types: Types):
    def handler(job):
        raise ProviderError("busy", permanent=False)

    task = types.add(handler)
    job = add(task)
    engine.run(take_one(task))
    assert hurry_job(job_id=job.pk).attempts == 1
    engine.run(take_one(task))
    assert len(attempts(job)) == 2


def test_job_that_is_due_cannot_be_hurried(types: Types):
    job = add(types.add(lambda job: None))
    with pytest.raises(MoveRefused):
        hurry_job(job_id=job.pk)


def test_what_waited_for_a_job_hears_when_a_person_stops_it(types: Types):
    heard: list[str] = []
    task = types.add(lambda job: None, on_failed=lambda job, error: heard.append(f"{job.payload['of']} {error.code}"))
    job = add(task, delay=timedelta(hours=1), of="it")
    assert dismiss_job(job_id=job.pk).status == "dismissed"
    assert heard == ["it stopped"]


def test_failed_job_whose_work_another_does_is_set_aside(types: Types):
    task = types.add(lambda job: None)
    job = add(task)
    supersede_job(key=job.key, by="another")
    job.refresh_from_db()
    assert job.status == "pending"  # only a failed one
    Job.objects.filter(pk=job.pk).update(status="failed", completed_at="2020-01-01T00:00Z")
    supersede_job(key=job.key, by="another")
    job.refresh_from_db()
    assert (job.status, job.result) == ("dismissed", {"replaced_by": "another"})


def test_failed_ones_of_a_workspace_are_retried_together(types: Types):
    task = types.add(lambda job: None)
    failed, pending = add(task), add(task)
    Job.objects.filter(pk=failed.pk).update(status="failed", completed_at="2020-01-01T00:00Z")
    assert retry_failed(workspace_id=None, job_ids=[failed.pk, pending.pk]) == 1
    failed.refresh_from_db()
    assert (failed.status, failed.completed_at) == ("pending", None)


def test_failed_job_is_renewed_as_it_is_read_now(types: Types):
    old, new = types.add(lambda job: None), types.add(lambda job: None, atomic=False)
    job = add(old, of=1)
    given = [NewJob(new.name, job.key, "", {"of": 2})]
    assert renew_failed(given) == 0
    Job.objects.filter(pk=job.pk).update(status="failed", completed_at="2020-01-01T00:00Z")
    assert renew_failed(given) == 1
    job.refresh_from_db()
    assert (job.status, job.type, job.payload, job.outgoing) == ("pending", new.name, {"of": 2}, True)
