"""What runs by the clock: when due, in one place, with what came of it kept."""

import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs import crons, engine, nudge, worker
from jobs.models import Job, JobMeta
from tests.jobs.conftest import Types, add, in_threads, take_one, update


class Clock:
    def __init__(self) -> None:
        self.names: list[str] = []

    def add(self, function: Callable[[], Any], **options: Any) -> str:
        name = f"test.{uuid.uuid4().hex}"
        crons.cron(name, **{"every": timedelta(minutes=5), **options})(function)
        self.names.append(name)
        return name


@pytest.fixture
def clock() -> Iterator[Clock]:
    crons.registered()
    made = Clock()
    yield made
    for name in made.names:
        del crons._registry[name]


def back_date(name: str, **fields: timedelta) -> None:
    now = timezone.now()
    JobMeta.objects.filter(name=name).update(**{field: now - ago for field, ago in fields.items()})


def test_eight_schedulers_run_it_once(clock: Clock):
    ran = []
    gate = threading.Event()

    def slow() -> None:
        ran.append(1)
        gate.wait(0.2)

    name = clock.add(slow)
    outcomes = in_threads(*[lambda: crons.run(name)] * 8)
    assert (len(ran), sorted(outcomes)) == (1, [False] * 7 + [True])


def test_run_is_recorded(clock: Clock):
    name = clock.add(lambda: {"removed": 3})
    assert crons.run(name)
    row = JobMeta.objects.get(pk=name)
    assert (row.last_status, row.stats, row.running_since) == ("completed", {"removed": 3}, None)
    assert row.last_run_at is not None
    assert row.last_duration is not None


def test_it_runs_again_when_it_is_due_and_not_before(clock: Clock):
    name = clock.add(lambda: None)
    assert crons.run(name)
    assert not crons.run(name)
    back_date(name, last_run_at=timedelta(minutes=4))
    assert not crons.run(name)
    back_date(name, last_run_at=timedelta(minutes=5))
    assert crons.run(name)


def test_failure_is_kept_and_the_next_run_is_on_time(clock: Clock):
    def broken() -> None:
        raise ValueError("secret +15550001111")

    name = clock.add(broken)
    assert crons.run(name)
    row = JobMeta.objects.get(pk=name)
    assert row.last_status == "failed"
    assert row.last_error.startswith("ValueError at tests/jobs/test_crons.py")
    assert "secret" not in row.last_error
    back_date(name, last_run_at=timedelta(minutes=5))
    assert crons.run(name)


def test_one_that_was_killed_does_not_block_for_ever(clock: Clock):
    name = clock.add(lambda: {"n": 2}, longest_run=timedelta(minutes=10))
    assert crons._begin(crons.registered()[name])
    back_date(name, last_run_at=timedelta(minutes=9), running_since=timedelta(minutes=9))
    assert not crons.run(name)
    back_date(name, last_run_at=timedelta(minutes=11), running_since=timedelta(minutes=11))
    assert crons.run(name)


def test_one_that_was_overtaken_has_nothing_to_say(clock: Clock):
    name = clock.add(lambda: {"n": 2})
    known = crons.registered()[name]
    slow = crons._begin(known)
    assert slow is not None
    back_date(name, last_run_at=timedelta(hours=1), running_since=timedelta(hours=1))
    assert crons.run(name)
    crons._end(known, slow, timedelta(seconds=1), {"n": 1}, None)
    assert JobMeta.objects.get(pk=name).stats == {"n": 2}


def test_beat_asks_for_each_at_least_every_minute():
    schedule = worker.beat_schedule()
    assert {"jobs.sweep", "jobs.cleanup", "live.prune"} <= set(schedule)
    assert schedule["jobs.sweep"]["schedule"] == timedelta(seconds=10)
    assert schedule["jobs.cleanup"]["schedule"] == timedelta(minutes=1)


def test_sweep_nudges_when_something_is_due(types: Types, monkeypatch: pytest.MonkeyPatch):
    rung = []
    monkeypatch.setattr(nudge, "ring", lambda *_: rung.append(1))
    task = types.add(lambda job: None)
    add(task)
    rung.clear()
    assert crons.sweep()["due"] is True
    assert rung == [1]
    take_one(task)


def test_type_that_no_release_knows_is_given_up_after_an_hour(types: Types):
    task = types.add(lambda job: None)
    fresh, old = add(task), add(task)
    for job in (fresh, old):
        update(job, "type = 'test.renamed'")
    update(old, "next_attempt = now() - interval '61 minutes'")
    crons.sweep()
    fresh.refresh_from_db()
    old.refresh_from_db()
    assert (fresh.status, old.status, old.error_code) == ("pending", "failed", "unknown_task")
    fresh.delete()


def test_cleanup_removes_completed_after_a_week_and_keeps_the_rest(types: Types):
    task = types.add(lambda job: None)
    jobs = {name: add(task) for name in ("old", "young", "failed", "pending")}
    for name in ("old", "young", "failed"):
        with connection.cursor() as cursor:
            status = "failed" if name == "failed" else "completed"
            ago = timedelta(days=6 if name == "young" else 8)
            cursor.execute(
                "UPDATE job SET status = %s, completed_at = now() - %s::interval WHERE id = %s",
                [status, str(ago), jobs[name].pk],
            )
    crons.cleanup()
    assert set(Job.objects.filter(type=task.name).values_list("pk", flat=True)) == {
        jobs[name].pk for name in ("young", "failed", "pending")
    }


def test_draining_runs_everything_that_is_due(types: Types):
    seen: list[int] = []
    quick = types.add(lambda job, n: seen.append(n))
    slow = types.add(lambda job, n: seen.append(n), atomic=False)
    for n in range(3):
        add(quick, n=n, lane="drain")
        add(slow, n=10 + n, lane="drain")
    assert engine.drain(only={quick.name, slow.name}) == 6
    assert [n for n in seen if n < 10] == [0, 1, 2]
    assert [n for n in seen if n >= 10] == [10, 11, 12]
