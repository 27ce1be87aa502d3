"""Looks after running exams once a second: our own liveness, and the edges between connected and disconnected.

A thread of every web process; an advisory lock in the database makes one of them do it.
"""

import logging
import threading
from datetime import timedelta

from django.db import DatabaseError, connection

from config.live.quiet import Repeated
from config.live.unit import unit_of_work
from proctoring.services import edges, service

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
_LOCK = 0x65_78_61_6D_73
_stop = threading.Event()
_failed = Repeated(logger, "Exams cannot be watched.")


def start() -> None:
    """The first look is taken before the first request: after an outage nobody reads that students were silent."""
    has_led = _look_once(service.AWAY_BEFORE_START)
    threading.Thread(target=_run, args=[has_led], name="exam-watch", daemon=True).start()


def stop() -> None:
    """Once no more beats are taken: while a process ends it is not there for its students."""
    _stop.set()


def _run(has_led: bool) -> None:
    while not _stop.wait(EVERY_SECONDS):
        has_led = _look_once(service.AWAY if has_led else service.AWAY_BEFORE_START) or has_led


def _look_once(away: timedelta) -> bool:
    try:
        return look(away)
    except DatabaseError as error:
        _failed(error)
    except Exception:
        logger.exception("exams not watched", extra={"action": "exam_watch_failed"})
    finally:
        connection.close()
    return False


def look(away: timedelta = service.AWAY) -> bool:
    """False when another process is at it."""
    if not _lead(away):
        return False
    edges.write_edges()
    edges.expire_silent()
    edges.expire_overdue()
    return True


@unit_of_work
def _lead(away: timedelta) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [_LOCK])
        leads = bool(cursor.fetchone()[0])
    if leads:
        service.mark_alive(away)
    return leads
