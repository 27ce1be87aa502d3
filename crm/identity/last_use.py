"""When each key was last used: noted in memory by requests, written beside them, at most once a minute for each key."""

import logging
import threading
import time
from uuid import UUID

from django.db import DatabaseError, connection, connections

logger = logging.getLogger(__name__)

EACH_SECONDS = 60.0
DELAY_SECONDS = 1.0  # of the writing, so that keys used together are written together
_FLUSH = """
update crm_apikey set last_used_at = now()
where id = any(%s) and (last_used_at is null or last_used_at < now() - interval '30 seconds')
"""

_lock = threading.Lock()
_written: dict[UUID, float] = {}  # monotonic
_waiting: set[UUID] = set()


def note(key_id: UUID) -> None:
    """Costs a lock and a look-up; the first use in a minute starts a thread that writes."""
    now = time.monotonic()
    with _lock:
        if now - _written.get(key_id, float("-inf")) < EACH_SECONDS:
            return
        _written[key_id] = now
        is_first = not _waiting
        _waiting.add(key_id)
    if is_first:
        timer = threading.Timer(DELAY_SECONDS, _flush_beside)
        timer.daemon = True
        timer.start()


def flush() -> None:
    with _lock:
        keys = list(_waiting)
        _waiting.clear()
        edge = time.monotonic() - EACH_SECONDS
        for key_id in [key_id for key_id, at in _written.items() if at < edge]:
            del _written[key_id]
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(_FLUSH, [keys])


def _flush_beside() -> None:
    try:
        flush()
    except DatabaseError:
        logger.warning("last use not written", extra={"action": "last_use_not_written"})
    finally:
        connections.close_all()
