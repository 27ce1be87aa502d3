"""After a commit that wrote to a feed: sees to it that the feed is dispatched soon, without the writer's waiting.

One thread a process, started by the first event; whatever comes close together becomes one job. What it loses with its
process, the cron webhooks.sweep_feeds finds.
"""

import logging
import threading
import time
from uuid import UUID

from django.db import DatabaseError, connection

from webhooks.services import fanout

logger = logging.getLogger(__name__)

BREATH = 0.02  # seconds in which the next events may join


class _Notifier:
    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: set[UUID] = set()
        self._thread: threading.Thread | None = None

    def note(self, workspace_id: UUID) -> None:
        with self._lock:
            self._waiting.add(workspace_id)
            if self._thread is None or not self._thread.is_alive():  # also after a fork, which copies no threads
                self._thread = threading.Thread(target=self._run, name="feeds", daemon=True)
                self._thread.start()
            self._lock.notify()

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._waiting:
                    self._lock.wait()
            time.sleep(BREATH)
            with self._lock:
                waiting, self._waiting = self._waiting, set()
            for workspace_id in waiting:
                self._order(workspace_id)

    def _order(self, workspace_id: UUID) -> None:
        try:
            fanout.order_dispatch(workspace_id)
        except DatabaseError:
            logger.warning("feed not ordered", extra={"action": "feed_not_ordered", "workspace_id": str(workspace_id)})
        finally:
            connection.close()


_notifier = _Notifier()


def heard(workspace_id: UUID) -> None:
    _notifier.note(workspace_id)
