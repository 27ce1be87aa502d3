"""A real worker, killed in the middle: every event arrives, in order, and only what was on its way arrives twice."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from tests import servers
from tests.jobs.test_worker import Stage
from tests.webhooks.receiver import receiving

MESSAGES = 30
KILLS = 2


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    try:
        yield made
    finally:
        made.close()


def scene(stage: Stage, *words: object) -> None:
    environment = os.environ | {"DATABASE_URL": stage.url}
    command = [sys.executable, "-m", "tests.webhooks.feed_scene", *map(str, words)]
    subprocess.run(command, cwd=servers.ROOT, env=environment, check=True, timeout=60)


def execute(stage: Stage, sql: str) -> None:
    with psycopg.connect(stage.url) as connection:
        connection.execute(sql)


def test_killed_workers_lose_nothing(stage):
    with receiving() as receiver:
        stage.valkey()
        scene(stage, receiver.url, MESSAGES)
        scene(stage, "sweep")
        worker = stage.worker()
        for kill in range(1, KILLS + 1):
            stage.wait(lambda seen=kill * 8: len(receiver.got) >= seen)
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait(10)
            execute(stage, "UPDATE job SET lease_until = now() - interval '1 second' WHERE status = 'processing'")
            worker = stage.worker()
        stage.wait(lambda: len(set(receiver.numbers)) >= MESSAGES)
        stage.wait(lambda: not stage.query("SELECT 1 FROM webhooks_call WHERE state <> 'delivered'"))
        first_seen = list(dict.fromkeys(receiver.numbers))
        assert first_seen == sorted(first_seen)
        assert len(first_seen) == MESSAGES
        assert len(receiver.got) - MESSAGES <= KILLS
        by_id = {got.headers["webhook-id"]: got.raw for got in receiver.got}
        assert len(by_id) == MESSAGES
        assert "nr 1" not in stage.logs()
        assert "Lucía" not in stage.logs()
