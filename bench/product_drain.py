"""Works off all due jobs in this one thread and keeps every statement sent to the database, with its values and the
ends of transactions, for `replay_statements.py`. Reads one JSON line, prints one."""

import json
import pickle
import sys
import threading
from enum import Enum
from pathlib import Path
from typing import Any

import django
import psycopg
from psycopg.types.json import Jsonb

COMMIT, ROLLBACK, AUTOCOMMIT = "commit", "rollback", "autocommit"


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    django.setup()
    from django.db import connection

    from inbox.models import Message
    from jobs import engine

    connection.ensure_connection()
    engine.drain(only=["none"])  # everything is imported before the recording
    said: list[tuple[str, Any]] = []
    _listen(said)
    engine.drain()
    taken = list(said)
    Path(spec["path"]).write_bytes(pickle.dumps(taken))
    statements = sum(1 for what, _ in taken if what not in {COMMIT, ROLLBACK, AUTOCOMMIT})
    sys.stdout.write(json.dumps({"messages": Message.objects.count(), "statements": statements}) + "\n")


def _listen(said: list[tuple[str, Any]]) -> None:
    """This thread's connection alone: the one beside it, which counts for the list's tabs, is not a delivery's work."""
    execute, end, mode = psycopg.Cursor.execute, psycopg.Connection.commit, psycopg.Connection.set_autocommit
    undo = psycopg.Connection.rollback

    def say(what: Any, values: Any = None) -> None:
        if threading.current_thread() is threading.main_thread():
            said.append((what, values))

    def heard_execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        say(query, _plain(params))
        return execute(self, query, params, **options)

    def heard_commit(self: Any) -> None:
        say(COMMIT)
        end(self)

    def heard_rollback(self: Any) -> None:
        say(ROLLBACK)
        undo(self)

    def heard_mode(self: Any, value: bool) -> None:
        say(AUTOCOMMIT, value)
        mode(self, value)

    psycopg.Cursor.execute = heard_execute  # type: ignore[method-assign]
    psycopg.Connection.commit = heard_commit  # type: ignore[method-assign]
    psycopg.Connection.rollback = heard_rollback  # type: ignore[method-assign]
    psycopg.Connection.set_autocommit = heard_mode  # type: ignore[method-assign]


def _plain(value: Any) -> Any:
    """As the other process can read it, which knows none of our types."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Jsonb):
        return Jsonb(value.obj)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


if __name__ == "__main__":
    main()
