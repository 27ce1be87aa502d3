"""That students are there, told to their tutors once a second and exam: unnumbered, and cheap however many beat."""

import asyncio
from datetime import datetime
from uuid import UUID
from weakref import WeakKeyDictionary

from config.live import frames, nudge
from proctoring import topics

EVERY_SECONDS = 1.0


class _Pulse:
    def __init__(self) -> None:
        self._beaten: dict[str, dict[str, datetime]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def beaten(self, exam: str, session_id: UUID, at: datetime) -> None:
        self._beaten.setdefault(exam, {})[str(session_id)] = at
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._tell)

    def _tell(self) -> None:
        beaten, self._beaten, self._timer = self._beaten, {}, None
        for exam, sessions in beaten.items():
            topic = topics.exam(exam)
            nudge.signal(topic, frames.signal(topic, "session.beats", {"sessions": sessions}))


def beaten(exam: str, session_id: UUID, at: datetime) -> None:
    loop = asyncio.get_running_loop()
    pulse = _pulses.get(loop)
    if pulse is None:
        pulse = _pulses[loop] = _Pulse()
    pulse.beaten(exam, session_id, at)


_pulses: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Pulse]" = WeakKeyDictionary()
