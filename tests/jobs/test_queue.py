"""Putting jobs in: once per key, with their cause, in the caller's transaction."""

import os
import uuid
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from psycopg import AsyncConnection

from jobs.errors import UnknownTask
from jobs.models import Job
from jobs.queue import INSERT_SQL, NewJob, enqueue, insert_from, params
from tests.jobs.conftest import Types, add, in_threads, take


def nothing(job):
    pass


def test_job_outside_a_transaction_is_refused(types: Types):
    task = types.add(nothing)
    with pytest.raises(RuntimeError, match="transaction"):
        enqueue(task.name, key=uuid.uuid4().hex, lane="")


def test_job_of_a_rolled_back_cause_is_gone(types: Types):
    task = types.add(nothing)
    with transaction.atomic():
        enqueue(task.name, key="gone", lane="")
        transaction.set_rollback(True)
    assert not Job.objects.filter(key="gone").exists()


def test_second_job_of_a_key_is_a_no_op(types: Types):
    task = types.add(nothing)
    first = add(task, key=f"k:{uuid.uuid4()}", n=1)
    again = add(task, key=first.key, n=2)
    assert (again.pk, again.payload) == (first.pk, {"n": 1})


def test_eight_writers_of_one_key_make_one_job(types: Types):
    task = types.add(nothing)
    key = f"k:{uuid.uuid4()}"
    in_threads(*[lambda: add(task, key=key)] * 8)
    assert Job.objects.filter(key=key).count() == 1


def test_two_batches_that_share_keys_do_not_deadlock(types: Types):
    task = types.add(nothing)
    keys = [f"k:{uuid.uuid4()}" for _ in range(4000)]
    batches = [params([NewJob(task.name, key, "", {}) for key in order]) for order in (keys, keys[::-1])]

    def write(batch: dict[str, list[object]]) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"]) as hot:
            hot.execute(INSERT_SQL, batch)

    in_threads(*[partial(write, batch) for batch in batches])
    assert Job.objects.filter(key__in=keys).count() == 4000
    Job.objects.filter(key__in=keys).delete()


def test_misspelt_type_is_refused_where_it_is_written():
    with pytest.raises(UnknownTask), transaction.atomic():
        enqueue("inbox.delivver", key="x", lane="")


def test_ids_in_a_payload_come_back_as_text(types: Types):
    message = uuid.uuid4()
    assert add(types.add(nothing), message=message).payload == {"message": str(message)}


def test_nul_in_a_payload_is_refused_before_postgres_sees_it(types: Types):
    task = types.add(nothing)
    with pytest.raises(ValueError, match="NUL"):
        add(task, text="a\x00b")
    assert add(task, text="\\u0000 as six letters").payload == {"text": "\\u0000 as six letters"}


def test_delayed_job_waits(types: Types):
    task = types.add(nothing)
    add(task, delay=timedelta(minutes=5))
    assert take(task) == []


def test_new_job_keeps_what_its_task_says(types: Types):
    task = types.add(nothing, max_attempts=3, atomic=False)
    job = add(task)
    assert (job.status, job.max_attempts, job.outgoing, job.attempts) == ("pending", 3, True, 0)


async def test_hot_road_inserts_many_in_its_own_statement(types: Types):
    task = types.add(nothing)
    keys = [f"hot:{uuid.uuid4()}" for _ in range(50)]
    workspace = uuid.uuid4()
    jobs = [NewJob(task.name, key, "lane", {"key": key}, workspace, timedelta(seconds=9)) for key in keys]
    async with await AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True) as hot:
        for _ in range(2):
            await hot.execute(
                f"WITH kept AS (SELECT 1), made AS ({INSERT_SQL} RETURNING id) SELECT count(*) FROM made", params(jobs)
            )
        found = await hot.execute(
            "SELECT key, payload->>'key', workspace_id, next_attempt > now() + interval '5 s' FROM job"
            " WHERE key = ANY(%s) ORDER BY id",
            [keys],
        )
        rows = await found.fetchall()
    # In the order they were given, which is their order in the lane
    assert rows == [(key, key, workspace, True) for key in keys]


def test_jobs_are_made_from_rows_of_the_same_statement(types: Types):
    task = types.add(nothing)
    select = """
        SELECT 'from:' || id, %(type)s, '', NULL::uuid, jsonb_build_object('id', id), %(tries)s, %(outgoing)s,
            interval '0'
        FROM kept
    """
    prefix = uuid.uuid4().hex
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as hot:
        hot.execute(
            f"WITH kept (id) AS (SELECT '{prefix}' || n FROM generate_series(1, 3) AS n) {insert_from(select)}",
            {"type": task.name, "tries": task.max_attempts, "outgoing": task.outgoing},
        )
    assert Job.objects.filter(key__startswith=f"from:{prefix}").count() == 3


@pytest.mark.parametrize(
    "assignment",
    [
        "status = 'lost'",
        "lease_until = now()",
        "status = 'processing'",
        "status = 'completed'",
        "completed_at = now()",
        "max_attempts = 0",
    ],
)
def test_database_refuses_a_state_that_makes_no_sense(types: Types, assignment: str):
    job = add(types.add(nothing))
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(f"UPDATE job SET {assignment} WHERE id = %s", [job.pk])
