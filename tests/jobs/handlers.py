"""Handlers for real workers that tests start: loaded through JOBS_TEST_TASKS. They write what they did into a table."""

import os
import time
from datetime import timedelta

from django.db import connection

from jobs.running import RunningJob
from jobs.tasks import task


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


@task("test.short_lease", atomic=False, lease=timedelta(seconds=2))
def outlast_the_lease(job: RunningJob, what: str, seconds: float) -> None:
    note_slowly(job, what=what, seconds=seconds)
