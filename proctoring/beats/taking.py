"""A beat from its reading to its answer: the same for HTTP and the socket."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from config.live.threads import run_sync
from proctoring.beats.answer import answer
from proctoring.beats.beat import Beat, read_beat
from proctoring.beats.statement import Written
from proctoring.beats.writer import write
from proctoring.people import Student
from proctoring.services import aftermath

logger = logging.getLogger(__name__)


async def take_beat(body: Mapping[str, Any], *, session_id: UUID, student: Student) -> dict[str, Any]:
    """What the client is told. Raises what the beat is refused with."""
    beat = read_beat(body, session_id=session_id, student=student, now=datetime.now(UTC))
    written = await write(beat)
    commands: list[dict[str, Any]] = []
    if written.has_commands or written.was_lost or written.is_other_device or beat.seen:
        commands = await _aftermath(beat, written)
    return answer(beat, written, commands)


async def _aftermath(beat: Beat, written: Written) -> list[dict[str, Any]]:
    """The beat stands whatever becomes of this: what was not done now is done by the sweep or with the next beat."""
    try:
        return await run_sync(aftermath.follow_up, beat, written)
    except Exception:
        logger.exception("a beat's aftermath failed", extra={"action": "beat_aftermath", "session_id": beat.session_id})
        return []
