"""Many changes, one telling: what happens often is gathered for a moment and dealt with beside the one who wrote it."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


class Coalescer(Generic[K]):
    """Calls `deal` with the set of keys noted since the last call, on one thread a process that the first note starts.

    `breath`: seconds in which more may join. `pause`: seconds at least from one call to the next. A note costs a set
    and a lock. What is noted is lost with the process, and when the database is away: only for what may be lost.
    """

    def __init__(self, name: str, deal: Callable[[set[K]], None], *, breath: float, pause: float = 0.0) -> None:
        self._name, self._deal = name, deal
        self._breath, self._rest = breath, max(0.0, pause - breath)
        self._lock = threading.Condition()
        self._noted: set[K] = set()
        self._thread: threading.Thread | None = None

    def note(self, key: K) -> None:
        with self._lock:
            if key in self._noted and self._is_running():
                return
            self._noted.add(key)
            if not self._is_running():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._lock.notify()

    def _is_running(self) -> bool:
        """False also after a fork, which copies no threads."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._noted:
                    self._lock.wait()
            time.sleep(self._breath)
            with self._lock:
                noted, self._noted = self._noted, set()
            self._deal_with(noted)
            time.sleep(self._rest)

    def _deal_with(self, noted: set[K]) -> None:
        try:
            self._deal(noted)
        except DatabaseError:
            logger.warning("not told", extra={"action": "not_told", "teller": self._name})
        finally:
            connection.close()
