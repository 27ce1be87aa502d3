"""A real worker, killed in the middle of an import: what it wrote is whole, and the next one goes on behind it."""

import os
import signal
import subprocess
import sys
from functools import partial

import psycopg
import pytest

from tests import servers
from tests.jobs.test_worker import Stage

ROWS = 6_000
KILLED_AT = (1_000, 3_000)  # rows that are done
PATIENCE = 120
# In one statement, so of one moment: what the import says of itself, and what there is.
STANDING = """
    select run.state, run.done_rows, run.created_rows, (select count(*) from crm_contact),
        (select count(*) from crm_contactidentity), (select count(*) from crm_contactimportline)
    from crm_contactimport run
"""


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    try:
        yield made
    finally:
        made.close()


def standing(stage: Stage) -> tuple[str, list[int]]:
    ((state, *counts),) = stage.query(STANDING)
    return state, counts


def has_done(stage: Stage, rows: int) -> bool:
    return standing(stage)[1][0] >= rows


def is_over(stage: Stage) -> bool:
    return standing(stage)[0] != "running"


def whole(rows: int) -> list[int]:
    """Done, created, contacts, identities (the number, its match key and the address), lines of the histories."""
    return [rows, rows, rows, 3 * rows, rows]


def test_every_row_is_written_once_however_often_the_worker_is_killed(stage):
    stage.valkey()
    environment = os.environ | {"DATABASE_URL": stage.url}
    command = [sys.executable, "-m", "tests.crm.import_scene", str(ROWS)]
    subprocess.run(command, cwd=servers.ROOT, env=environment, check=True, timeout=PATIENCE)
    worker = stage.worker()
    for rows in KILLED_AT:
        stage.wait(partial(has_done, stage, rows), PATIENCE)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(20)
        state, counts = standing(stage)
        assert (state, counts) == ("running", whole(counts[0]))
        with psycopg.connect(stage.url) as connection:  # instead of waiting until the lease is over
            connection.execute("UPDATE job SET lease_until = now() - interval '1 second' WHERE status = 'processing'")
        worker = stage.worker()
    stage.wait(partial(is_over, stage), PATIENCE)
    assert standing(stage) == ("completed", whole(ROWS))
    once = "select count(distinct name), count(distinct phone_normalized), count(distinct id) from crm_contact"
    assert stage.query(once) == [(ROWS, ROWS, ROWS)]
    assert stage.query("select count(distinct row) from crm_contactimportline") == [(ROWS,)]
    told = [
        (int(done), state)
        for done, state in stage.query(
            "select data::jsonb ->> 'done_rows', data::jsonb ->> 'state' from live_event"
            " where type = 'import.updated' order by topic, seq"
        )
    ]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (ROWS, "completed")
