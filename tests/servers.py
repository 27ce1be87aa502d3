"""A pytest plugin, loaded before Django's settings: a real Postgres, a real Valkey, and one database per worker.

The main process starts both servers with a migrated template database; every worker copies the template, so tests
commit for real and nothing is truncated. Migrating takes long, so the cluster is kept until a migration changes.
`DATABASE_URL` and `REDIS_URL` are set for the worker, so that processes which a test starts see the same data.
"""

import atexit
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from config.run.embedded import Postgres, Valkey
from config.run.leash import leash

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "switchboard_template"
APPS = ("config", "jobs", "crm", "inbox", "proctoring", "webhooks")
# Where the migrated cluster waits for the next run
KEPT = ROOT / ".pytest_cache" / "cluster"
# Throw-away data: nothing needs to survive a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "log_min_messages=fatal")


def _start_servers() -> Postgres:
    folder = Path(tempfile.mkdtemp(prefix="sbtest"))
    postgres = Postgres(folder / "pg", folder / "s", FAST)
    valkey = Valkey(folder / "s" / "valkey.sock", folder)
    _provide_cluster(postgres)
    processes = [_run(postgres.command()), _run(valkey.command())]

    def stop() -> None:
        _close_pools()
        _stop(processes)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    postgres.wait(processes[0])
    os.environ["SB_TEST_SOCKETS"] = str(postgres.sockets)
    os.environ["REDIS_URL"] = valkey.url
    return postgres


def _run(command: list[str]) -> "subprocess.Popen[bytes]":
    """Ends with this run, however that ends."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, preexec_fn=leash(signal.SIGINT))


def _stop(processes: "list[subprocess.Popen[bytes]]") -> None:
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        process.wait(20)


def _provide_cluster(postgres: Postgres) -> None:
    """A Postgres with the migrated template: as the last run with the same migrations left it, else made anew."""
    kept = KEPT / _fingerprint()
    try:
        shutil.copytree(kept, postgres.data)
        postgres.initialise()
    except OSError:  # there is none, or another run is just clearing it away
        shutil.rmtree(postgres.data, ignore_errors=True)
        _make_cluster(postgres)
        _keep(postgres.data, kept)


def _make_cluster(postgres: Postgres) -> None:
    postgres.initialise()
    process = _run(postgres.command())
    try:
        postgres.wait(process)
        _create_database(postgres, TEMPLATE)
        _migrate(postgres)
    finally:
        _stop([process])


def _keep(data: Path, kept: Path) -> None:
    """Only of use to the next run, so nothing here may stop this one."""
    making = KEPT / f"making-{os.getpid()}"
    try:
        shutil.rmtree(KEPT, ignore_errors=True)
        shutil.copytree(data, making)
        making.rename(kept)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)


def _fingerprint() -> str:
    """Of everything that a migration may be made of: our own code beside it, and the packages."""
    digest = hashlib.sha256()
    patterns = ("**/migrations/*.py", "**/models/*.py", "**/models.py", "**/tenancy.py")
    sources = {path for app in APPS for pattern in patterns for path in (ROOT / app).glob(pattern)}
    for path in sorted(sources | {ROOT / "requirements.lock"}):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:20]


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
    environment = {**os.environ, "DATABASE_URL": postgres.url_for(TEMPLATE), "REDIS_URL": "redis://none"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True, env=environment)


def _bring_up() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        sockets = Path(os.environ["SB_TEST_SOCKETS"])
        postgres = Postgres(sockets.parent / "pg", sockets)
        _settings_environment()
    else:
        _settings_environment()
        postgres = _start_servers()
    name = worker or "main"
    _create_database(postgres, name, TEMPLATE)
    os.environ["DATABASE_URL"] = postgres.url_for(name)
    os.environ["REDIS_PREFIX"] = f"sb-{name}"


_bring_up()
