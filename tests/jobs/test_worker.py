"""Real workers: `celery worker` as a process, with a database of its own, killed, starved of its broker, stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.run.embedded import Postgres, Valkey
from jobs import nudge, tasks
from jobs.queue import INSERT_SQL, NewJob, params
from tests import servers
from tests.jobs import handlers
from tests.repeats import times

ROOT = servers.ROOT
FLAGS = ("--without-mingle", "--without-gossip", "--without-heartbeat", "--loglevel=WARNING", "--concurrency=4")


class Stage:
    """A database, a place for a Redis, and the processes of one test."""

    def __init__(self, folder: Path) -> None:
        sockets = Path(os.environ["SB_TEST_SOCKETS"])
        postgres = Postgres(sockets.parent / "pg", sockets)
        self.name = f"stage_{uuid.uuid4().hex}"
        servers._create_database(postgres, self.name, servers.TEMPLATE)
        self.url = postgres.url_for(self.name)
        self.admin_url = postgres.url
        self.folder = folder
        self.redis_socket = sockets / f"{self.name[:12]}.sock"
        self.processes: list[subprocess.Popen[bytes]] = []
        with psycopg.connect(self.url) as connection:
            connection.execute("CREATE TABLE effect (id bigserial, what text, pid int, at timestamptz DEFAULT now())")

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis_socket}"

    def celery(self, *words: str, redis_url: str = "") -> "subprocess.Popen[bytes]":
        environment = os.environ | {
            "DATABASE_URL": self.url,
            "REDIS_URL": redis_url or self.redis_url,
            "JOBS_TEST_TASKS": handlers.__name__,
            "PYTHONWARNINGS": "default",
        }
        command = [sys.executable, "-m", "celery", "-A", "config", *words]
        with (self.folder / f"celery-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def worker(self, *, redis_url: str = "") -> "subprocess.Popen[bytes]":
        process = self.celery("worker", *FLAGS, redis_url=redis_url)
        self.enqueue(NewJob("test.note", f"ready:{process.pid}", "", {"what": f"ready {process.pid}"}))
        self.wait(lambda: f"ready {process.pid}" in self.written(), 90)
        return process

    def valkey(self) -> "subprocess.Popen[bytes]":
        valkey = Valkey(self.redis_socket, self.folder)
        quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(valkey.command(), **quiet)
        self.processes.append(process)
        self.wait(self.redis_socket.exists)
        return process

    def enqueue(self, *jobs: NewJob) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(INSERT_SQL, params(jobs))

    def written(self) -> list[str]:
        return [row[0] for row in self.query("SELECT what FROM effect ORDER BY id")]

    def has(self, what: str) -> bool:
        return what in self.written()

    def began(self) -> int:
        return sum("began" in what for what in self.written())

    def done(self) -> int:
        return sum(" done " in what for what in self.written())

    def query(self, sql: str, *values: object) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql, values).fetchall()

    def wait(self, condition: Callable[[], object], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds} s in vain; {self.logs()}"
            time.sleep(0.02)

    def logs(self) -> str:
        return "\n".join(path.read_text()[-4000:] for path in self.folder.glob("*.log"))

    def close(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait(10)
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{self.name}" WITH (FORCE)')


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    tasks.registered()
    made = Stage(tmp_path)
    try:
        yield made
    finally:
        made.close()


def slow(what: str, seconds: float = 0, lane: str = "") -> NewJob:
    return NewJob("test.slow", f"{what}:{uuid.uuid4()}", lane, {"what": what, "seconds": seconds})


def brief(what: str, lane: str = "") -> NewJob:
    return NewJob("test.short_lease", f"{what}:{uuid.uuid4()}", lane, {"what": what, "seconds": 0.03})


def held(what: str) -> NewJob:
    return NewJob("test.held", f"{what}:{uuid.uuid4()}", "", {"what": what})


def in_class(what: str) -> NewJob:
    return NewJob("test.together", f"{what}:{uuid.uuid4()}", "", {"what": what})


def note(what: str) -> NewJob:
    return NewJob("test.note", f"{what}:{uuid.uuid4()}", "", {"what": what})


def test_jobs_run_though_there_was_never_a_broker(stage: Stage):
    """Nothing listens where the broker should be. One worker, since each takes seconds to start."""
    with closed_port() as port:
        worker = stage.worker(redis_url=f"redis://127.0.0.1:{port}/0")
        for what in ("one", "two"):
            stage.enqueue(note(what))
            stage.wait(partial(stage.has, what), 10)  # by looking: nothing else tells
        # A provider that hangs on every thread there is for providers holds up nothing else
        stage.enqueue(*(held(f"hang{n}") for n in range(6)))
        stage.wait(lambda: stage.began() == 4)
        stage.enqueue(note("quick"))
        stage.wait(partial(stage.has, "quick"))
        assert stage.began() == 4
        stage.enqueue(note("let go"))
        stage.wait(lambda: stage.done() == 6)
        # A lease of 2 s is renewed for a job of 4 s
        stage.enqueue(NewJob("test.short_lease", "short", "", {"what": "long", "seconds": 4}))
        stage.wait(lambda: "long done 1" in stage.written())
        assert "long began 2" not in stage.written()
        # What comes while the like of it is done goes along next; a bad one among them harms nobody
        stage.enqueue(*(in_class(f"good{n}") for n in range(8)))
        stage.wait(lambda: sum("good" in what for what in stage.written()) == 8)
        assert any(what.startswith("good") and what.endswith("of many") for what in stage.written())
        stage.enqueue(*(in_class(what) for what in ("fine0", "bad", "fine1", "fine2")))
        stage.wait(lambda: sum("fine" in what for what in stage.written()) == 3)
        failed = "SELECT 1 FROM job WHERE type = 'test.together' AND status = 'failed'"
        stage.wait(lambda: len(stage.query(failed)) == 1)
        assert not stage.has("bad of one")
        # Told to stop, it finishes what it runs and takes no more
        stage.enqueue(slow("first", 1.5, lane="lane"), slow("second", 0, lane="lane"))
        stage.wait(lambda: "first began 1" in stage.written())
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0
    assert stage.written()[-1] == "first done 1"
    assert stage.query("SELECT status, attempts FROM job WHERE key LIKE 'second:%%'") == [("pending", 0)]


def test_nudges_the_clock_and_a_broker_that_goes_and_returns(stage: Stage, settings):
    settings.REDIS_URL = stage.redis_url
    valkey = stage.valkey()
    beat = stage.celery("beat", "--loglevel=WARNING")
    stage.worker()
    assert nudged_run(stage, "while it lives")
    swept = "SELECT 1 FROM job_meta WHERE name = 'jobs.sweep' AND last_status = 'completed'"
    stage.wait(lambda: stage.query(swept))
    beat.send_signal(signal.SIGTERM)
    assert beat.wait(10) == 0
    valkey.kill()
    valkey.wait()
    stage.enqueue(note("without"))
    stage.wait(lambda: "without" in stage.written())
    stage.redis_socket.unlink()
    stage.valkey()
    stage.wait(lambda: nudged_run(stage, f"again {uuid.uuid4()}"))


def test_job_of_a_killed_worker_is_taken_up_by_the_other(stage: Stage):
    stage.valkey()
    workers = {process.pid: process for process in (stage.worker(), stage.worker())}
    # Between them nothing is done twice, and every lane keeps its order
    stage.enqueue(*(note(f"n{n}") for n in range(200)), *(slow(f"s{n}", 0.02, lane=f"lane{n % 5}") for n in range(40)))
    stage.wait(lambda: not stage.query("SELECT 1 FROM job WHERE status <> 'completed' LIMIT 1"))
    done = stage.written()
    assert sorted(what for what in done if what.startswith("n")) == sorted(f"n{n}" for n in range(200))
    order = [int(what[1:].split()[0]) for what in done if what.startswith("s") and "done" in what]
    for lane in range(5):
        assert [n for n in order if n % 5 == lane] == list(range(lane, 40, 5))
    # One is killed in the middle of its work
    stage.enqueue(slow("work", 60, lane="lane"), slow("next", 0, lane="lane"))
    stage.wait(lambda: "work began 1" in stage.written())
    ((killed,),) = stage.query("SELECT pid FROM effect WHERE what = 'work began 1'")
    workers[killed].kill()
    workers[killed].wait()
    assert stage.query("SELECT status, lease_until > now() FROM job WHERE key LIKE 'work:%%'") == [("processing", True)]
    # Instead of waiting for the lease, and for a second run as long as the first
    stage.query("UPDATE job SET payload = payload || '{\"seconds\": 0}' WHERE key LIKE 'work:%%' RETURNING id")
    stage.query("UPDATE job SET lease_until = now() WHERE status = 'processing' RETURNING id")
    stage.wait(lambda: "next done 1" in stage.written())
    assert stage.written()[-5:] == ["work began 1", "work began 2", "work done 2", "next began 1", "next done 1"]
    assert stage.query("SELECT status, attempts FROM job WHERE key LIKE 'work:%%'") == [("completed", 2)]


@pytest.mark.repeats
def test_a_worker_killed_again_and_again_loses_and_doubles_nothing(stage: Stage):
    def has_done(enough: int) -> bool:
        return stage.done() >= enough

    jobs, kills = times(100, 500), times(2, 10)
    stage.valkey()
    worker = stage.worker()
    stage.enqueue(*(brief(f"job{n}", lane=f"lane{n % 40}" if n % 2 else "") for n in range(jobs)))
    for kill in range(kills):
        stage.wait(partial(has_done, (kill + 1) * jobs // (kills + 2)))
        worker.kill()
        worker.wait()
        assert stage.query("SELECT 1 FROM job WHERE status <> 'completed' LIMIT 1")
        worker = stage.worker()
    stage.wait(lambda: not stage.query("SELECT 1 FROM job WHERE status <> 'completed' LIMIT 1"), 120)
    done = sorted(what.split()[0] for what in stage.written() if " done " in what)
    assert done == sorted(f"job{n}" for n in range(jobs))


def nudged_run(stage: Stage, what: str) -> bool:
    """Whether jobs run sooner after a nudge than looking each second explains: five in a row under 0.4 s."""
    client = nudge.client()
    try:
        for n in range(5):
            stage.enqueue(note(f"{what} {n}"))
            client.eval(nudge.PUSH_IF_EMPTY, 1, nudge.queue_name(), nudge.message())
            began = time.monotonic()
            stage.wait(partial(stage.has, f"{what} {n}"))
            if time.monotonic() - began > 0.4:
                return False
    finally:
        client.close()
    return True


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses: bound, so that nobody else gets it, but not listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
