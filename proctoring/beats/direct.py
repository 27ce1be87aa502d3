"""One beat at once, on Django's own connection: for servers that do not mount the hot road."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from config.errors import NotFound
from config.live.unit import unit_of_work
from proctoring import rows
from proctoring.beats.answer import answer
from proctoring.beats.beat import Beat, read_beat
from proctoring.beats.statement import WRITE, Written, parameters, refusal, sessions_with_news
from proctoring.events import announce_session
from proctoring.people import Student
from proctoring.services.aftermath import follow_up


def beat_now(body: Mapping[str, Any], *, session_id: UUID, student: Student) -> dict[str, Any]:
    beat = read_beat(body, session_id=session_id, student=student, now=datetime.now(UTC))
    written = _write(beat)
    return answer(beat, written, follow_up(beat, written))


@unit_of_work
def _write(beat: Beat) -> Written:
    with connection.cursor() as cursor:
        cursor.execute(WRITE, parameters([beat]))
        found = [Written._make(row) for row in cursor.fetchall()]
    error = refusal(beat, found[0] if found else None)
    if error is not None:
        raise error
    for session_id in sessions_with_news([beat], found):
        announce_session(rows.one(session_id))
    if not found:
        raise NotFound
    return found[0]
