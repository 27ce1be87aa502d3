"""The small async connection pool of this process, for the hub and every other hot road. No ORM on it."""

import asyncio
import select
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Connection = AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

# Whoever waits longer is better told to come again.
WAIT_SECONDS = 5.0
# After this the next request starts over, so that a database that comes back is found at once.
RECONNECT_SECONDS = 2.0
_DJANGO_OPTIONS = {"pool", "isolation_level", "server_side_binding", "assume_role"}

_pools: "WeakKeyDictionary[asyncio.AbstractEventLoop, Pool]" = WeakKeyDictionary()


async def hot_pool() -> Pool:
    """Opened in the running loop on first use. Statements commit by themselves and are prepared at once."""
    loop = asyncio.get_running_loop()
    pool = _pools.get(loop)
    if pool is None:
        pool = _pools[loop] = _make()
    if pool.closed:
        await pool.open()
    return pool


async def close_hot_pool() -> None:
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.close()


def _make() -> Pool:
    return AsyncConnectionPool(
        _conninfo(settings.DATABASES["default"]),
        kwargs={"autocommit": True, "prepare_threshold": 0},
        min_size=1,
        max_size=settings.HOT_POOL_MAX,
        open=False,
        configure=_configure,
        check=_check,
        timeout=WAIT_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        name="hot",
    )


def _conninfo(database: dict[str, Any]) -> str:
    options = {key: value for key, value in database.get("OPTIONS", {}).items() if key not in _DJANGO_OPTIONS}
    parts = {
        "dbname": database.get("NAME"),
        "user": database.get("USER"),
        "password": database.get("PASSWORD"),
        "host": database.get("HOST"),
        "port": database.get("PORT"),
    }
    return make_conninfo(**options, **{key: value for key, value in parts.items() if value})


async def _configure(connection: Connection) -> None:
    # A statement of a hot road is planned once: planning the larger ones anew costs more than running them.
    await connection.execute("set time zone 'UTC'")
    await connection.execute("set plan_cache_mode = force_generic_plan")


async def _check(connection: Connection) -> None:
    """An idle connection that has something to read was most likely closed by the server; only then is a round trip
    spent on finding out, which the hot roads would otherwise pay for every statement."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)
