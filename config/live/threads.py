"""Runs sync checks (identity, who may listen) beside the loop, on a few threads that give their connection back."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, connections

P = ParamSpec("P")
R = TypeVar("R")

# A thousand sockets that come back at once must not take Django's whole pool away from the pages.
THREADS = 4


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="live-check")


async def run_sync(do: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """For checks that only read: one that met a connection which the database had dropped is asked once more."""

    def inside() -> R:
        try:
            try:
                return do(*args, **kwargs)
            except OperationalError:
                _forget_dead_connections()
                return do(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(_threads(), inside)


def _forget_dead_connections() -> None:
    connection.close()
    pool = getattr(connection, "pool", None)
    if pool is not None:
        pool.check()
