"""What a client is told of its beat."""

from typing import Any

from proctoring.beats.beat import Beat
from proctoring.beats.statement import Written
from proctoring.liveness import INTERVAL_SECONDS


def answer(beat: Beat, written: Written, commands: list[dict[str, Any]]) -> dict[str, Any]:
    left = (written.ends_at - written.now).total_seconds() if written.ends_at else None
    return {
        "session": beat.session_id,
        "status": written.status,
        "next_interval": INTERVAL_SECONDS,
        "server_time": written.now,
        "ends_at": written.ends_at,
        "remaining_seconds": None if left is None else max(0, round(left)),
        "commands": commands,
    }
