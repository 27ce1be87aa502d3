"""What the tests of jobs share: task types of their own, so that no test claims another's jobs."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from jobs import claims, tasks
from jobs.models import Job
from jobs.queue import enqueue
from jobs.running import RunningJob
from jobs.tasks import Task


class Types:
    """Registers task types for one test and forgets them after it."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def add(self, handler: Callable[..., Any], **options: Any) -> Task:
        name = f"test.{uuid.uuid4().hex}"
        tasks.task(name, **options)(handler)
        self.names.append(name)
        return tasks.named(name)

    def forget(self) -> None:
        for name in self.names:
            del tasks._registry[name]


@pytest.fixture
def types() -> Iterator[Types]:
    made = Types()
    yield made
    Job.objects.filter(type__in=made.names, status="pending").delete()
    made.forget()


@pytest.fixture
def effects() -> Iterator[str]:
    """A table of its own into which handlers write what they did."""
    name = f"effect_{uuid.uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} (id bigserial, what text)")
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")


def write(table: str, what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} (what) VALUES (%s)", [what])


def written(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT what FROM {table} ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def add(task: Task, *, lane: str = "", key: str = "", delay: timedelta | None = None, **payload: Any) -> Job:
    key = key or uuid.uuid4().hex
    with transaction.atomic():
        enqueue(task.name, key=key, lane=lane, delay=delay, payload=payload)
    return Job.objects.get(key=key)


def take(*of: Task, limit: int = 10) -> list[RunningJob]:
    return claims.claim(of, outgoing=of[0].outgoing, limit=limit)


def take_one(task: Task) -> RunningJob:
    (job,) = take(task)
    return job


def lapse(job: Job | RunningJob) -> None:
    """As if its worker had been dead for longer than its lease."""
    update(job, "lease_until = now() - interval '1 second'")


def due(job: Job | RunningJob) -> None:
    """As if its back-off had passed."""
    update(job, "next_attempt = now()")


def update(job: Job | RunningJob, assignment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE job SET {assignment} WHERE id = %s", [job.id])


def unique_lane() -> str:
    return f"lane:{uuid.uuid4().hex}"


def in_threads(*work: Callable[[], Any]) -> Sequence[Any]:
    """Runs all at the same moment, each on a connection of its own; raises the first error."""
    results: list[Any] = [None] * len(work)
    errors: list[BaseException] = []
    gate = threading.Barrier(len(work))

    def run(number: int, do: Callable[[], Any]) -> None:
        try:
            gate.wait(10)
            results[number] = do()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number, do)) for number, do in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]
    return results
