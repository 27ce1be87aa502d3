"""Running one job: done with its effect, again later, or given up with the reason kept."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from config.live.events import Event, head, publish
from config.live.unit import unit_of_work
from jobs import engine
from jobs.errors import LeaseLost, ProviderError, RetryLater, WorkerDied
from jobs.models import Job
from jobs.queue import enqueue
from jobs.running import RunningJob
from tests.jobs.conftest import Types, add, due, lapse, take, take_one, unique_lane, write, written


class SomethingHappened(Event):
    type = "test.happened"


def wait_of(job: Job) -> float:
    job.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM next_attempt - now()) FROM job WHERE id = %s", [job.pk])
        return float(cursor.fetchone()[0])


def test_effect_completion_and_event_commit_together(types: Types, effects: str):
    lane = unique_lane()

    def handler(job: RunningJob, what: str) -> dict[str, str]:
        write(effects, what)
        publish(f"test.{lane}", SomethingHappened())
        return {"wrote": what}

    task = types.add(handler)
    job = add(task, what="hello")
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.result, job.lease_until, job.attempts) == ("completed", {"wrote": "hello"}, None, 1)
    assert written(effects) == ["hello"]
    assert head(f"test.{lane}") == 1


def test_failing_handler_leaves_nothing_and_comes_back(types: Types, effects: str):
    def handler(job: RunningJob) -> None:
        write(effects, "half")
        raise ConnectionError("secret +15550001111")

    task = types.add(handler)
    job = add(task)
    engine.run(take_one(task))
    assert written(effects) == []
    assert 1 < wait_of(job) <= 2.5
    assert (job.status, job.attempts) == ("pending", 1)
    assert take(task) == []


def test_waits_double_and_stay_under_their_cap():
    assert [int(engine.backoff(attempt) // 2 ** (attempt - 1)) for attempt in (1, 2, 3, 4)] == [2, 2, 2, 2]
    assert all(2**n <= engine.backoff(n) <= 2**n * 1.2 for n in (1, 2, 3, 4, 5, 6, 7, 8))
    assert 600 <= engine.backoff(40) <= 720


def test_last_attempt_fails_for_good_and_tells_the_hook_in_the_same_unit(types: Types, effects: str):
    def handler(job: RunningJob) -> None:
        raise ProviderError("busy", permanent=False, code="429")

    def on_failed(job: RunningJob, error: Exception) -> None:
        assert isinstance(error, ProviderError)
        write(effects, f"gave up: {error.code}")

    task = types.add(handler, max_attempts=3, on_failed=on_failed)
    job = add(task)
    for _ in range(3):
        assert written(effects) == []
        due(job)
        engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.attempts, job.error_code) == ("failed", 3, "429")
    assert job.last_error == "ProviderError: busy"
    assert written(effects) == ["gave up: 429"]
    assert take(task) == []


def test_hook_that_raises_does_not_hide_the_failure(types: Types, effects: str):
    def handler(job: RunningJob) -> None:
        raise ProviderError("closed", permanent=True)

    def on_failed(job: RunningJob, error: Exception) -> None:
        write(effects, "half")
        raise ZeroDivisionError

    task = types.add(handler, on_failed=on_failed)
    job = add(task)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.last_error) == ("failed", "ProviderError: closed")
    assert written(effects) == []


def test_permanent_error_is_not_tried_again(types: Types):
    def handler(job: RunningJob) -> None:
        raise ProviderError("not on WhatsApp", permanent=True, code="131026")

    task = types.add(handler, atomic=False)
    job = add(task)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.attempts, job.error_code) == ("failed", 1, "131026")


def test_call_that_may_have_arrived_is_never_repeated_by_the_engine(types: Types):
    def handler(job: RunningJob) -> None:
        raise ProviderError("no answer", permanent=False, maybe_sent=True)

    task = types.add(handler, atomic=False)
    job = add(task)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("failed", "maybe_sent")


def test_peer_that_asks_for_patience_gets_it(types: Types):
    def handler(job: RunningJob) -> None:
        raise ProviderError("slow down", permanent=False, retry_after=60)

    task = types.add(handler)
    job = add(task)
    engine.run(take_one(task))
    assert 58 < wait_of(job) <= 60


def test_peer_cannot_ask_us_to_hurry(types: Types):
    def handler(job: RunningJob) -> None:
        raise ProviderError("now", permanent=False, retry_after=0)

    task = types.add(handler)
    job = add(task)
    engine.run(take_one(task))
    assert wait_of(job) > 1


def test_coming_back_later_costs_no_attempt(types: Types):
    calls = []

    def handler(job: RunningJob) -> None:
        calls.append(job.attempt)
        if len(calls) < 5:
            raise RetryLater("not settled", after=30)

    task = types.add(handler, max_attempts=1)
    job = add(task)
    for _ in range(4):
        engine.run(take_one(task))
        assert 28 < wait_of(job) <= 30
        due(job)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (calls, job.status) == ([1] * 5, "completed")


def test_coming_back_later_may_count(types: Types):
    def handler(job: RunningJob) -> None:
        raise RetryLater("still not there", after=0, counts=True)

    task = types.add(handler, max_attempts=2)
    job = add(task)
    engine.run(take_one(task))
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.attempts, job.error_code) == ("failed", 2, "retry_later")


def test_unknown_outcome_frees_the_lane(types: Types):
    def handler(job: RunningJob) -> None:
        raise RetryLater("asking whether it arrived", after=30, frees_lane=True)

    task, next_task = types.add(handler), types.add(lambda job: None)
    lane = unique_lane()
    add(task, lane=lane)
    follower = add(next_task, lane=lane)
    engine.run(take_one(task))
    assert take_one(next_task).id == follower.pk


def test_overtaken_holder_of_an_atomic_job_leaves_no_effect(types: Types, effects: str):
    def handler(job: RunningJob) -> None:
        write(effects, f"attempt {job.attempt}")

    task = types.add(handler)
    job = add(task)
    slow = take_one(task)
    lapse(job)
    fast = take_one(task)
    engine.run(slow)
    assert written(effects) == []
    job.refresh_from_db()
    assert job.status == "processing"
    engine.run(fast)
    assert written(effects) == ["attempt 2"]
    engine.run(slow)
    assert written(effects) == ["attempt 2"]


def test_overtaken_holder_cannot_complete_with_its_effect(types: Types, effects: str):
    lost: list[int] = []

    def handler(job: RunningJob) -> None:
        if job.attempt == 1:
            lapse(job)
            engine.run(take_one(task))
        try:
            with job.completing(result={"attempt": job.attempt}):
                write(effects, f"attempt {job.attempt}")
        except LeaseLost:
            lost.append(job.attempt)
            raise

    task = types.add(handler, atomic=False)
    job = add(task)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert lost == [1]
    assert written(effects) == ["attempt 2"]
    assert (job.status, job.result) == ("completed", {"attempt": 2})


def test_overtaken_holder_cannot_fail_the_job(types: Types):
    def handler(job: RunningJob) -> None:
        raise ProviderError("closed", permanent=True)

    task = types.add(handler)
    job = add(task)
    slow = take_one(task)
    lapse(job)
    take_one(task)
    engine.run(slow)
    job.refresh_from_db()
    assert job.status == "processing"


def test_extending_is_refused_once_the_job_is_lost(types: Types):
    task = types.add(lambda job: None)
    job = add(task)
    slow = take_one(task)
    slow.extend(timedelta(minutes=5))
    job.refresh_from_db()
    assert job.lease_until is not None
    assert job.started_at is not None
    assert job.lease_until - job.started_at > timedelta(minutes=4)
    lapse(job)
    take_one(task)
    with pytest.raises(LeaseLost):
        slow.extend(timedelta(minutes=5))


def test_error_after_completing_changes_nothing(types: Types, effects: str):
    def handler(job: RunningJob) -> None:
        with job.completing():
            write(effects, "done")
        raise RuntimeError

    task = types.add(handler, atomic=False)
    job = add(task)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, written(effects)) == ("completed", ["done"])


def test_handler_that_forgets_to_complete_is_completed(types: Types):
    task = types.add(lambda job: {"n": 1}, atomic=False)
    job = add(task)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"n": 1})


def test_worker_that_dies_every_time_fails_the_job(types: Types, effects: str):
    def on_failed(job: RunningJob, error: Exception) -> None:
        assert isinstance(error, WorkerDied)
        write(effects, "died")

    task = types.add(lambda job: write(effects, "ran"), max_attempts=2, on_failed=on_failed)
    job = add(task)
    for _ in range(2):
        take_one(task)
        lapse(job)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, job.attempts, job.error_code) == ("failed", 2, "worker_died")
    assert job.last_error == "WorkerDied: the worker died"
    assert written(effects) == ["died"]


def test_kept_error_quotes_no_customer(types: Types, caplog: pytest.LogCaptureFixture):
    secret = "+5491155550000"

    def unique_violation(job: RunningJob, phone: str) -> None:
        job_key = Job.objects.get(pk=job.id).key
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO job (key, type) VALUES (%s, %s)", [job_key, phone])

    def plain(job: RunningJob, phone: str) -> None:
        raise ValueError(f"bad phone {phone}")

    errors = []
    for handler in (unique_violation, plain):
        task = types.add(handler)
        job = add(task, key=f"{secret}:{handler.__name__}:{unique_lane()}", phone=secret)
        engine.run(take_one(task))
        job.refresh_from_db()
        errors.append(job.last_error)
    assert not any(secret in error for error in errors)
    assert secret not in caplog.text
    assert errors[0].startswith("IntegrityError 23505 job_once_per_key at ")
    assert errors[1].startswith("ValueError at tests/jobs/test_engine.py:")
    assert max(map(len, errors)) <= 300


def test_job_enqueued_by_a_handler_commits_with_it(types: Types):
    second = types.add(lambda job: None)

    def handler(job: RunningJob) -> None:
        enqueue(second.name, key=f"{job.key}:next", lane="")
        if job.attempt == 1:
            raise IntegrityError

    task = types.add(handler)
    job = add(task)
    engine.run(take_one(task))
    assert take(second) == []
    due(job)
    engine.run(take_one(task))
    assert take_one(second).key == f"{job.key}:next"


def test_handlers_run_outside_any_transaction_unless_atomic(types: Types):
    seen = []

    def handler(job: RunningJob) -> None:
        seen.append(connection.in_atomic_block)

    for atomic in (True, False):
        task = types.add(handler, atomic=atomic)
        add(task)
        engine.run(take_one(task))
    assert seen == [True, False]


def test_completing_joins_an_open_unit(types: Types, effects: str):
    """A service that is itself a unit of work may complete the job in its own transaction."""

    @unit_of_work
    def service(job: RunningJob) -> None:
        write(effects, "before")
        with job.completing():
            write(effects, "inside")

    task = types.add(service, atomic=False)
    job = add(task)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.status, written(effects)) == ("completed", ["before", "inside"])
