"""How many conversations are open, whole, unassigned and by assignee: capped, one query a workspace, told as a signal.

There are no counter rows to contend for. Each process tells at most every 250 ms per workspace; the signal may be
lost, so a client also asks again with its next snapshot.
"""

import logging
import threading
import time
from typing import TypedDict
from uuid import UUID

from django.db import DatabaseError, connection

from config.live.events import signal
from config.live.unit import on_commit
from inbox.states import ConversationStatus, Scope

logger = logging.getLogger(__name__)

CAP = 1000  # beyond it a person reads "999+"
PAUSE = 0.25  # seconds between two tellings
BREATH = 0.1  # seconds: the message itself goes first, the numbers beside it may follow

_OPEN = f"""
    select 1 from inbox_conversation
    where workspace_id = %(workspace)s and scope = '{Scope.SUPPORT.value}' and deleted_at is null
      and merged_into_id is null and status = '{ConversationStatus.OPEN.value}'
"""  # noqa: S608  # only constants are put in
_SQL = f"""
    select 'all', null::uuid, (select count(*) from ({_OPEN} limit {CAP + 1}) x)
    union all
    select 'unassigned', null, (select count(*) from ({_OPEN} and assignee_id is null limit {CAP + 1}) x)
    union all
    select 'assignee', m.user_id, (select count(*) from ({_OPEN} and assignee_id = m.user_id limit {CAP + 1}) x)
    from crm_member m where m.workspace_id = %(workspace)s
"""  # noqa: S608  # only constants are put in


class Counts(TypedDict):
    all: int
    unassigned: int
    by_assignee: dict[str, int]
    capped: int


def get_counts(workspace_id: UUID) -> Counts:
    """A number above `capped` means "more than that"."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"workspace": workspace_id})
        rows = cursor.fetchall()
    whole = {name: count for name, _, count in rows if name != "assignee"}
    return {
        "all": whole["all"],
        "unassigned": whole["unassigned"],
        "by_assignee": {str(user): count for name, user, count in rows if name == "assignee" and count},
        "capped": CAP,
    }


class _Teller:
    """One thread a process, started by the first change."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: dict[UUID, str] = {}
        self._thread: threading.Thread | None = None

    def tell(self, workspace_id: UUID, slug: str) -> None:
        with self._lock:
            self._waiting[workspace_id] = slug
            if self._thread is None or not self._thread.is_alive():  # also after a fork, which copies no threads
                self._thread = threading.Thread(target=self._run, name="counts", daemon=True)
                self._thread.start()
            self._lock.notify()

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._waiting:
                    self._lock.wait()
            time.sleep(BREATH)
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            for workspace_id, slug in waiting.items():
                self._tell_one(workspace_id, slug)
            time.sleep(PAUSE - BREATH)

    def _tell_one(self, workspace_id: UUID, slug: str) -> None:
        try:
            signal(f"inbox.{slug}", "counts", get_counts(workspace_id))
        except DatabaseError:
            logger.warning("counts not told", extra={"action": "counts_not_told"})
        finally:
            connection.close()


_teller = _Teller()


def changed(workspace_id: UUID, slug: str) -> None:
    """Something that the counts depend on changed in this transaction."""
    on_commit(lambda: _teller.tell(workspace_id, slug))
