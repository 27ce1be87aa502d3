"""What the supervisor asks the database itself, without Django: can it be reached, is it prepared, does it have room.

The stamp says that nothing has changed since the last preparation, so that a start need not load Django to find out.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

from config import env
from config.run.environment import connections_needed
from config.run.errors import StartRefused

STAMP_FILE = "prepared"
# Someone who can sign in with a published password; `.example` is no real domain, so no real user is like this.
DEMO_USER = "ada@demo.example"
REACH_SECONDS = 10.0


@dataclass(frozen=True)
class Facts:
    prepared: bool
    has_demo: bool
    connections_free: int


def look(settings: ModuleType) -> Facts:
    with _connect(settings) as connection:
        return Facts(
            prepared=_stamp_of(connection) == _read_stamp(settings),
            has_demo=_has_demo(connection),
            connections_free=_connections(connection),
        )


def stamp(settings: ModuleType) -> None:
    """Called when migrations and demo data are in."""
    with _connect(settings) as connection:
        (Path(settings.VAR_DIR) / STAMP_FILE).write_text(_stamp_of(connection))


def check_room(settings: ModuleType, facts: Facts) -> None:
    needed = connections_needed()
    if needed > facts.connections_free:
        raise StartRefused(
            f"PROCESSES={settings.PROCESSES} may open {needed} database connections, and max_connections of the server "
            f"leaves {facts.connections_free}: raise it, or lower PROCESSES."
        )


def check_demo(settings: ModuleType, facts: Facts) -> None:
    if facts.has_demo and not settings.DEMO:
        raise StartRefused(
            "DEMO is off, and the database holds demo users with public passwords: run `manage.py purge_demo` with "
            "DEMO=1, or choose another DATABASE_URL."
        )


def _connect(settings: ModuleType) -> "psycopg.Connection[Any]":
    """A server that starts beside us is given some seconds."""
    deadline = time.monotonic() + REACH_SECONDS
    while True:
        try:
            return psycopg.connect(**_parameters(settings.DATABASES["default"]), autocommit=True, connect_timeout=3)
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline or not _may_pass(error):
                said = " ".join(str(error).split()).rstrip(".")
                raise StartRefused(f"DATABASE_URL cannot be used: {said}.") from None
            time.sleep(0.3)


def _may_pass(error: psycopg.OperationalError) -> bool:
    return any(words in str(error) for words in ("Connection refused", "starting up", "timeout", "No such file"))


def _parameters(config: dict[str, Any]) -> dict[str, Any]:
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    options = {name: value for name, value in config["OPTIONS"].items() if name != "pool"}
    return options | {name: config[key] for name, key in names.items() if config.get(key)}


def _connections(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute(
        "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    ).fetchone()
    assert row  # noqa: S101 - a select without a table has one row
    return int(row[0])


def _has_demo(connection: "psycopg.Connection[Any]") -> bool:
    if not _has_table(connection, "crm_user"):
        return False
    return bool(connection.execute("select 1 from crm_user where email = %s limit 1", [DEMO_USER]).fetchone())


def _has_table(connection: "psycopg.Connection[Any]", name: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
    return bool(row and row[0])


def _stamp_of(connection: "psycopg.Connection[Any]") -> str:
    """What the code wants and what the database has, as one digest."""
    applied: list[Any] = []
    if _has_table(connection, "django_migrations"):
        applied = connection.execute("select app, name from django_migrations order by app, name").fetchall()
    digest = hashlib.sha256(json.dumps(applied).encode())
    for path in _what_preparing_reads():
        digest.update(f"\0{path.relative_to(env.BASE_DIR)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _what_preparing_reads() -> list[Path]:
    root = env.BASE_DIR
    migrations = [*root.glob("*/migrations/*.py"), *root.glob("*/*/migrations/*.py")]
    wiring = [root / "config" / "settings.py", root / "requirements.lock"]
    return sorted(path for path in [*migrations, *wiring] if ".venv" not in path.parts and path.exists())


def _read_stamp(settings: ModuleType) -> str | None:
    try:
        return (Path(settings.VAR_DIR) / STAMP_FILE).read_text()
    except OSError:
        return None
