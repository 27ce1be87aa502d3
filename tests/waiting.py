"""Waiting on a condition: machines that test are busy, and what is there sooner is not waited for."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection


def wait_for(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first true thing it answers."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        time.sleep(0.02)
    return found


def is_waited_for() -> bool:
    """Whether another transaction waits for this connection's."""
    with connection.cursor() as cursor:
        # Not pg_stat_activity, of which a transaction sees what stood there at its first look
        cursor.execute(
            "select count(*) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])
