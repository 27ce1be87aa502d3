"""Handlers for real workers that tests start: loaded through JOBS_TEST_TASKS. They write what they did into a table."""

import os
import time
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection

from jobs.errors import ProviderError
from jobs.running import RunningJob
from jobs.tasks import Together, task


def note(what: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO effect (what, pid) VALUES (%s, %s)", [what, os.getpid()])


@task("test.note")
def note_quickly(job: RunningJob, what: str) -> None:
    note(what)


@task("test.slow", atomic=False)
def note_slowly(job: RunningJob, what: str, seconds: float) -> None:
    """Says that it began, outside any transaction, as a call to a provider would show on the other side."""
    note(f"{what} began {job.attempt}")
    connection.close()
    time.sleep(seconds)
    with job.completing():
        note(f"{what} done {job.attempt}")


@task("test.held", atomic=False)
def note_when_let_go(job: RunningJob, what: str) -> None:
    note(f"{what} began {job.attempt}")
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM effect WHERE what = 'let go'")
            if cursor.fetchone():
                break
        connection.close()
        time.sleep(0.05)
    with job.completing():
        note(f"{what} done {job.attempt}")


@task("test.short_lease", atomic=False, lease=timedelta(seconds=2))
def outlast_the_lease(job: RunningJob, what: str, seconds: float) -> None:
    note_slowly(job, what=what, seconds=seconds)


def note_all(jobs: Sequence[RunningJob]) -> list[None]:
    """Notes how many went together, and fails for all when one of them is to fail."""
    if any(job.payload["what"] == "bad" for job in jobs):
        raise ValueError("one of them is bad")
    time.sleep(0.2)
    for job in jobs:
        note(f"{job.payload['what']} of {'one' if len(jobs) == 1 else 'many'}")
    return [None for _ in jobs]


@task("test.together", together=Together(lambda job: "class", note_all))
def note_one(job: RunningJob, what: str) -> None:
    if what == "bad":
        raise ProviderError("bad", permanent=True)
    note(f"{what} of one")
