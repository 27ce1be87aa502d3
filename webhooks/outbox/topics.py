"""`outbox.<slug>`: a signal, at most once a second, that something changed there. It carries nothing."""

import logging
import threading
import time
from uuid import UUID

from django.db import DatabaseError, connection

from config.errors import NotFound
from config.live.events import signal
from config.live.identity import Identity
from config.live.topics import register
from crm.access import member_for
from crm.models import Workspace
from crm.roles import Action

logger = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between two tellings


def outbox(workspace_slug: str) -> str:
    return f"outbox.{workspace_slug}"


class _Teller:
    """One thread a process, started by the first change. A change itself costs a set and a lock: jobs run by the
    hundred a second, and nobody may be looking."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: set[UUID] = set()
        self._thread: threading.Thread | None = None

    def tell(self, workspace_id: UUID) -> None:
        with self._lock:
            if workspace_id in self._waiting:
                return
            self._waiting.add(workspace_id)
            if self._thread is None or not self._thread.is_alive():  # also after a fork, which copies no threads
                self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
                self._thread.start()
            self._lock.notify()

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._waiting:
                    self._lock.wait()
            time.sleep(PAUSE / 5)  # what comes in one go is told once, with the last of it
            with self._lock:
                waiting, self._waiting = self._waiting, set()
            self._tell_all(waiting)
            time.sleep(PAUSE * 4 / 5)

    def _tell_all(self, waiting: set[UUID]) -> None:
        try:
            for slug in Workspace.objects.filter(pk__in=waiting).values_list("slug", flat=True):
                signal(outbox(slug), "changed", {})
        except DatabaseError:
            logger.warning("outbox not told", extra={"action": "outbox_not_told"})
        finally:
            connection.close()


_teller = _Teller()


def changed(workspace_id: UUID | None) -> None:
    """Something there is different now, after its commit. What is of no workspace is not followed live."""
    if workspace_id is not None:
        _teller.tell(workspace_id)


def _may_hear(identity: Identity | None, slug: str) -> bool:
    if identity is None or identity.user_id is None:
        return False
    try:
        return slug == slug.lower() and member_for(identity.user_id, slug).may(Action.MANAGE)
    except NotFound:
        return False


def register_topics() -> None:
    register("outbox", _may_hear)
