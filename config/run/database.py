"""What the supervisor asks the database itself: can it be reached, is it prepared, does it have room.

Asked by the embedded psql, which answers before a Python driver would be imported. The stamp says that nothing
has changed since the last preparation, so that a start need not load Django to find out.
"""

import asyncio
import hashlib
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from config import env
from config.run.embedded import POSTGRES_BIN
from config.run.environment import connections_needed
from config.run.errors import StartRefused

STAMP_FILE = "prepared"
# The mark of demo data, as config.run.demo.people has it; importing that would load Django.
DEMO_WORKSPACE = "0198de30-0000-7000-8002-000000000001"
REACH_SECONDS = 10.0
MAY_PASS = ("Connection refused", "starting up", "timeout expired", "No such file")
QUESTIONS = """
select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int;
select to_regclass('django_migrations') is not null as migrated,
  to_regclass('crm_workspace') is not null as settled \\gset
\\if :migrated
  select string_agg(app || '.' || name, ' ' order by app, name) from django_migrations;
\\else
  select '';
\\endif
\\if :settled
  select exists (select from crm_workspace where id = :'demo');
\\else
  select false;
\\endif
"""


@dataclass(frozen=True)
class Facts:
    connections: int
    digest: str
    has_demo: bool
    prepared: bool


async def look(settings: ModuleType) -> Facts:
    room, applied, has_demo = await _ask(settings)
    return Facts(
        connections=int(room),
        digest=_digest(applied),
        has_demo=has_demo == "t",
        prepared=_digest(applied) == _read_stamp(settings),
    )


def stamp(settings: ModuleType, facts: Facts) -> None:
    """Called when migrations and demo data are in."""
    (Path(settings.VAR_DIR) / STAMP_FILE).write_text(facts.digest)


def check_room(settings: ModuleType, facts: Facts) -> None:
    needed = connections_needed()
    if needed > facts.connections:
        raise StartRefused(
            f"PROCESSES={settings.PROCESSES} may open {needed} database connections, and max_connections of the server "
            f"leaves {facts.connections}: raise it, or lower PROCESSES."
        )


def check_demo(settings: ModuleType, facts: Facts) -> None:
    if facts.has_demo and not settings.DEMO:
        raise StartRefused(
            "DEMO is off, and the database holds demo data with public passwords: start with DEMO=1 and run "
            "`manage.py purge_demo` beside it, or choose another DATABASE_URL or VAR_DIR."
        )


async def _ask(settings: ModuleType) -> list[str]:
    """The answers to QUESTIONS, a line each. A server that starts beside us is given some seconds."""
    config = settings.DATABASES["default"]
    deadline = time.monotonic() + REACH_SECONDS
    while True:
        done = subprocess.run(  # noqa: ASYNC221 - some milliseconds, and nothing else goes on yet
            [
                str(POSTGRES_BIN / "psql"),
                "-X",
                "-q",
                "-At",
                "-v",
                "ON_ERROR_STOP=1",
                "-v",
                f"demo={DEMO_WORKSPACE}",
                "-d",
                _conninfo(config),
            ],
            input=QUESTIONS,
            env=os.environ | {"PGPASSWORD": config.get("PASSWORD") or "", "PGCONNECT_TIMEOUT": "3"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout.splitlines()
        if time.monotonic() > deadline or not any(words in done.stderr for words in MAY_PASS):
            said = " ".join(done.stderr.removeprefix("psql: error: ").split()).rstrip(".")
            raise StartRefused(f"DATABASE_URL cannot be used: {said}.")
        await asyncio.sleep(0.3)


def _conninfo(config: dict[str, Any]) -> str:
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER"}
    options = {name: value for name, value in config["OPTIONS"].items() if name != "pool"}
    given = options | {name: config[key] for name, key in names.items() if config.get(key)}
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in given.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _digest(applied: str) -> str:
    """What the code wants and what the database has, as one word."""
    digest = hashlib.sha256(applied.encode())
    for path in _what_preparing_reads():
        digest.update(f"\0{path.relative_to(env.BASE_DIR)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _what_preparing_reads() -> list[Path]:
    root = env.BASE_DIR
    migrations = [*root.glob("*/migrations/*.py"), *root.glob("*/*/migrations/*.py")]
    wiring = [root / "config" / "settings.py", root / "requirements.lock"]
    static = [path for path in [*root.glob("*/static/**/*"), *root.glob("*/*/static/**/*")] if path.is_file()]
    return sorted(path for path in [*migrations, *wiring, *static] if ".venv" not in path.parts and path.exists())


def _read_stamp(settings: ModuleType) -> str | None:
    if not Path(settings.STATIC_ROOT).is_dir():
        return None  # the files that preparing collects are gone
    try:
        return (Path(settings.VAR_DIR) / STAMP_FILE).read_text()
    except (OSError, ValueError):
        return None
