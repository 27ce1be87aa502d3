"""A pytest plugin, loaded before Django's settings: a real Postgres, a real Valkey, and one database per worker.

The main process starts both servers and migrates a template database once; every worker copies the template, so
tests commit for real and nothing is truncated. `DATABASE_URL` and `REDIS_URL` are set for the worker, so that processes
which a test starts (a server, a worker) see the same data.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from config.run.embedded import Postgres, Valkey

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "switchboard_template"
# Throw-away data: nothing needs to survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "log_min_messages=fatal")


def _start_servers() -> Postgres:
    folder = Path(tempfile.mkdtemp(prefix="sbtest"))
    postgres = Postgres(folder / "pg", folder / "s", FAST)
    valkey = Valkey(folder / "s" / "valkey.sock", folder)
    postgres.initialise()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(postgres.command(), **quiet), subprocess.Popen(valkey.command(), **quiet)]  # type: ignore[call-overload]

    def stop() -> None:
        _close_pools()
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    postgres.wait(processes[0])
    os.environ["SB_TEST_SOCKETS"] = str(postgres.sockets)
    os.environ["REDIS_URL"] = valkey.url
    return postgres


def _close_pools() -> None:
    """Before their server goes, or their threads complain into a closed stderr."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()


def _settings_environment() -> None:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        SWITCHBOARD_TESTING="1",
        SECRET_KEY="test-secret-key-that-is-long-enough-for-hmac",
        FIELD_ENCRYPTION_KEYS="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        PUBLIC_URL="http://testserver",
        ALLOWED_HOSTS="testserver,127.0.0.1,localhost",
        SUPABASE_URL="https://abcdefghijklmnopqrst.supabase.co",
        ALLOWED_PRIVATE_HOSTS="127.0.0.1,localhost",
        LOG_LEVEL="WARNING",
        VAR_DIR=tempfile.mkdtemp(prefix="sbvar"),
    )
    Path(os.environ["VAR_DIR"], "static").mkdir()  # nothing is collected: names stay as they are
    atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)


def _create_database(postgres: Postgres, name: str, template: str = "template0") -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _migrate(postgres: Postgres) -> None:
    os.environ["DATABASE_URL"] = postgres.url_for(TEMPLATE)
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)


def _bring_up() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        sockets = Path(os.environ["SB_TEST_SOCKETS"])
        postgres = Postgres(sockets.parent / "pg", sockets)
        _settings_environment()
    else:
        postgres = _start_servers()
        _settings_environment()
        _create_database(postgres, TEMPLATE)
        _migrate(postgres)
    name = worker or "main"
    _create_database(postgres, name, TEMPLATE)
    os.environ["DATABASE_URL"] = postgres.url_for(name)
    os.environ["REDIS_PREFIX"] = f"sb-{name}"


_bring_up()
