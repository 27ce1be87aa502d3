"""Claiming: no job twice, each lane in order, nothing stuck."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.db.utils import IntegrityError

from jobs import claims, engine, statements
from jobs.errors import ProviderError
from jobs.models import Job
from jobs.queue import NewJob, enqueue_many
from jobs.runner import Runner
from jobs.running import RunningJob
from tests.jobs.conftest import Types, add, due, in_threads, lapse, take, take_one, unique_lane, update, write, written
from tests.waiting import wait_for


def nothing(job, **payload):
    pass


def drain_with(claimers: int, step: Callable[[], bool]) -> None:
    """Runs `step` in so many threads until all of them find nothing for a while."""

    def work() -> None:
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < 0.5:
            if step():
                idle_since = time.monotonic()

    in_threads(*[work] * claimers)


def test_eight_claimers_take_no_job_twice(types: Types):
    task = types.add(nothing)
    made = {add(task).pk for _ in range(120)}
    taken: list[int] = []
    lock = threading.Lock()

    def step() -> bool:
        jobs = take(task, limit=7)
        with lock:
            taken.extend(job.id for job in jobs)
        return bool(jobs)

    drain_with(8, step)
    assert sorted(taken) == sorted(made)


def test_lanes_keep_their_order_under_eight_workers(types: Types, effects: str):
    running: dict[str, int] = defaultdict(int)
    overlaps: list[str] = []
    lock = threading.Lock()

    def handler(job: RunningJob, n: int) -> None:
        with lock:
            running[job.lane] += 1
            if running[job.lane] > 1:
                overlaps.append(job.lane)
        write(effects, f"{job.lane} {n}")
        with lock:
            running[job.lane] -= 1

    task = types.add(handler)
    lanes = [unique_lane() for _ in range(5)]
    for n in range(20):
        for lane in lanes:
            add(task, lane=lane, n=n)

    def step() -> bool:
        jobs = take(task, limit=3)
        for job in jobs:
            engine.run(job)
        return bool(jobs)

    drain_with(8, step)
    done = written(effects)
    assert overlaps == []
    for lane in lanes:
        assert [int(line.split()[1]) for line in done if line.startswith(lane)] == list(range(20))


def test_one_claim_takes_one_job_of_each_lane(types: Types):
    task = types.add(nothing)
    lanes = [unique_lane() for _ in range(3)]
    heads = [add(task, lane=lane).pk for lane in lanes]
    for lane in lanes:
        add(task, lane=lane)
    free = [add(task).pk for _ in range(2)]
    assert [job.id for job in take(task)] == sorted(heads + free)


def test_index_refuses_a_second_running_job_of_a_lane(types: Types):
    task = types.add(nothing)
    lane = unique_lane()
    add(task, lane=lane)
    second = add(task, lane=lane)
    take_one(task)
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE job SET status = 'processing', lease_until = now() + interval '1 minute' WHERE id = %s", [second.pk]
        )


def test_claimers_that_see_different_heads_let_one_through(types: Types):
    """The older job becomes due between two looks: both are heads for a moment."""
    task = types.add(nothing)
    for _ in range(10):
        lane = unique_lane()
        late = add(task, lane=lane, delay=timedelta(milliseconds=30))
        add(task, lane=lane)

        def look(until: float = time.monotonic() + 0.06) -> list[RunningJob]:
            found = take(task)
            while time.monotonic() < until:
                found += take(task)
            return found

        taken = [job for jobs in in_threads(look, look, look) for job in jobs]
        assert len(taken) == 1
        assert Job.objects.filter(lane=lane, status="processing").count() == 1
        Job.objects.filter(lane=lane).delete()
        assert late


def test_backing_off_head_holds_its_lane_for_a_minute_at_most(types: Types):
    def fail(job):
        raise ProviderError("busy", permanent=False, retry_after=600)

    failing, task = types.add(fail), types.add(nothing)
    lane = unique_lane()
    head, follower = add(failing, lane=lane), add(task, lane=lane)
    engine.run(take_one(failing))
    assert take(failing, task) == []
    head.refresh_from_db()
    assert head.blocks_until is not None
    assert timedelta(seconds=55) < head.blocks_until - head.created_at <= timedelta(seconds=61)
    update(head, "blocks_until = now() - interval '1 second'")
    assert [job.id for job in take(failing, task)] == [follower.pk]


def test_second_failure_does_not_hold_the_lane_anew(types: Types):
    def fail(job):
        raise RuntimeError

    task = types.add(fail)
    job = add(task, lane=unique_lane())
    engine.run(take_one(task))
    job.refresh_from_db()
    held_until = job.blocks_until
    due(job)
    engine.run(take_one(task))
    job.refresh_from_db()
    assert (job.attempts, job.blocks_until) == (2, held_until)


def test_failed_head_frees_its_lane(types: Types):
    def fail(job):
        raise ProviderError("no such number", permanent=True)

    failing, task = types.add(fail), types.add(nothing)
    lane = unique_lane()
    add(failing, lane=lane)
    follower = add(task, lane=lane)
    engine.run(take_one(failing))
    assert take_one(task).id == follower.pk


def test_job_that_is_meant_for_later_holds_no_lane(types: Types):
    task = types.add(nothing)
    lane = unique_lane()
    add(task, lane=lane, delay=timedelta(minutes=1))
    now = add(task, lane=lane)
    assert take_one(task).id == now.pk


def test_job_of_a_dead_worker_is_taken_up_again(types: Types):
    task = types.add(nothing)
    lane = unique_lane()
    job, follower = add(task, lane=lane), add(task, lane=lane)
    first = take_one(task)
    assert take(task) == []
    lapse(job)
    second = take_one(task)
    assert (second.id, second.died, second.attempt) == (job.pk, True, 2)
    assert second.lease_token > first.lease_token
    engine.run(second)
    assert take_one(task).id == follower.pk


def test_eight_claimers_take_a_lapsed_job_once(types: Types):
    task = types.add(nothing)
    job = add(task)
    take_one(task)
    lapse(job)
    taken = [found for jobs in in_threads(*[lambda: take(task)] * 8) for found in jobs]
    assert [found.id for found in taken] == [job.pk]


def test_type_of_another_release_is_left_alone(types: Types):
    task, other = types.add(nothing), types.add(nothing)
    add(other)
    assert take(task) == []


def test_crews_take_only_their_own_kind(types: Types):
    quick, outgoing = types.add(nothing), types.add(nothing, atomic=False)
    first, second = add(quick), add(outgoing)
    assert [job.id for job in take(quick, outgoing)] == [first.pk]
    assert [job.id for job in take(outgoing, quick)] == [second.pk]


def test_next_of_a_lane_is_claimed_without_looking_at_the_others(types: Types):
    task, other = types.add(nothing), types.add(nothing, atomic=False)
    lane = unique_lane()
    first, second, third = (add(task, lane=lane) for _ in range(3))
    add(other, lane=lane)
    held = take_one(task)
    assert held.id == first.pk
    assert claims.claim_next([task], outgoing=False, lane=lane) is None
    engine.run(held)
    assert held.followed
    following = claims.claim_next([task], outgoing=False, lane=lane)
    assert following is not None
    assert following.id == second.pk
    engine.run(following)
    engine.run(take_one(task))
    third.refresh_from_db()
    assert third.status == "completed"
    # The head is of the other kind now
    assert claims.claim_next([task], outgoing=False, lane=lane) is None
    last = claims.claim_next([other], outgoing=True, lane=lane)
    assert last is not None
    engine.run(last)
    assert not last.followed


def test_lane_is_not_overtaken_by_who_claims_its_next(types: Types):
    """Somebody holds the head's row without having claimed it: the second in the lane is nobody's."""
    task = types.add(nothing)
    lane = unique_lane()
    head, _second = add(task, lane=lane), add(task, lane=lane)
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        other.execute("SELECT 1 FROM job WHERE id = %s FOR UPDATE", [head.pk])
        assert claims.claim_next([task], outgoing=False, lane=lane) is None
        assert take(task) == []
    assert take_one(task).id == head.pk


@pytest.mark.parametrize("lanes", [1, 500])
def test_claim_reads_the_backlog_in_the_order_of_an_index(types: Types, lanes: int, monkeypatch: pytest.MonkeyPatch):
    """However wrong the planner's idea of the table: no sort, no sequential scan, one probe for a lane's head."""
    task = types.add(nothing)
    prefix = unique_lane()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO job (key, type, lane, payload) SELECT %s || n, %s, %s || n %% %s, '{}'"
            " FROM generate_series(1, 3000) n",
            [prefix, task.name, prefix, lanes],
        )
    plans: dict[str, str] = {}
    execute = statements.execute

    def telling(statement: str, params: Any) -> Any:
        if statement in (claims._CLAIM, claims._CLAIM_NEXT):
            plans[statement] = explained(statement, params)
            assert execute("SHOW enable_sort", {}).fetchall() == [("off",)]  # a tie of costs may hide that it is not
        return execute(statement, params)

    monkeypatch.setattr(statements, "execute", telling)
    claims.claim_next([task], outgoing=False, lane=f"{prefix}0")
    claims.claim([task], outgoing=False, limit=16)
    Job.objects.filter(type=task.name).delete()
    assert "Index Scan using job_due" in plans[claims._CLAIM]
    for plan in (plans[claims._CLAIM], plans[claims._CLAIM_NEXT]):
        assert "job_lane_head" in plan
        assert "Sort" not in plan
        assert "Seq Scan" not in plan


def explained(statement: str, params: dict[str, Any]) -> str:
    return "\n".join(row[0] for row in statements.execute(f"EXPLAIN {statement}", params).fetchall())


@pytest.fixture
def idle_queue() -> None:
    """A runner takes all that is due, so what other tests left waits until they are forgotten."""
    Job.objects.filter(status="pending").update(next_attempt=Now() + timedelta(days=1))


@pytest.mark.usefixtures("idle_queue")
def test_runner_keeps_a_deep_lane_in_order(types: Types):
    done: list[int] = []
    task = types.add(lambda job, n: done.append(n))
    lane = unique_lane()
    with transaction.atomic():
        enqueue_many([NewJob(task.name, f"{lane}:{n}", lane, {"n": n}) for n in range(150)])
    with running(quick=3):
        wait_for(lambda: len(done) == 150)
    assert done == list(range(150))


@pytest.mark.usefixtures("idle_queue")
def test_runner_that_stops_gives_back_what_it_has_not_begun(types: Types):
    gate = threading.Event()
    began: list[int] = []

    def handler(job: RunningJob) -> None:
        began.append(job.id)
        gate.wait(20)

    task = types.add(handler)
    made = [add(task).pk for _ in range(6)]
    with running(quick=1) as runner:
        wait_for(lambda: began and Job.objects.filter(pk__in=made, status="processing").count() == 6)
        stopping = threading.Thread(target=runner.stop, args=(10,))
        stopping.start()
        wait_for(lambda: Job.objects.filter(pk__in=made, status="pending", attempts=0).count() == 5)
        gate.set()
        stopping.join()
    assert Job.objects.filter(pk__in=made, status="completed", attempts=1).count() == 1
    assert len(began) == 1


@contextmanager
def running(*, quick: int) -> Iterator[Runner]:
    """Stopped whatever happens: one that goes on would take the jobs of every later test."""
    runner = Runner(quick=quick, outgoing=1)
    runner.start()
    try:
        yield runner
    finally:
        assert runner.stop(20)
