"""The first paint of the tutors' grid: what each card says, and who needs a person. static/proctor/store.js goes on
with the same rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from proctoring import words
from proctoring.models import Violation
from proctoring.rows import SessionRow
from proctoring.states import Severity

ORDER = ("disconnected", "paused", "active", "idle", "hidden", "throttled", "submitted", "expired", "terminated")
FLAGGING = (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
LIVE = ("active", "disconnected", "paused")
# What waits longest for a person comes first; of equals the earlier one
RANKS = {
    Severity.CRITICAL.value: 6,
    Severity.HIGH.value: 5,
    "locked": 5,  # paused, and can do nothing but call
    "silent": 4,
    "hand": 3,
    Severity.MEDIUM.value: 2,
}


@dataclass(frozen=True, slots=True)
class Card:
    row: SessionRow
    state: str
    word: Any
    icon: str
    rank: int = 0
    tone: str = ""
    why: str = ""  # a key of the template's
    entry: Any = ""  # what was noticed
    silent: str = ""
    exam: str = ""  # where several are watched at once

    @property
    def severities(self) -> list[tuple[str, int]]:
        row = self.row
        counts = (row.critical_count, row.high_count, row.medium_count, row.low_count)
        return list(zip(("critical", "high", "medium", "low"), counts, strict=True))

    @property
    def is_locked(self) -> bool:
        return self.row.status == "paused" and self.why in ("hand", "wrote")

    @property
    def beat(self) -> str:
        return _span(self.row.now - self.row.last_heartbeat) if self.row.last_heartbeat else ""


def newest_of_each(rows: Iterable[SessionRow]) -> list[SessionRow]:
    """Of a student's attempts the last; rows come in the order in which they began."""
    return list({(row.exam_id, row.student): row for row in rows}.values())


def cards(
    rows: Iterable[SessionRow],
    entries: Iterable[Violation],
    unread: Mapping[UUID, int],
    titles: Mapping[UUID, str] | None = None,
) -> list[Card]:
    worst: dict[UUID, Violation] = {}
    for entry in entries:
        held = worst.get(entry.session_id)
        if held is None or RANKS[entry.severity] > RANKS[held.severity]:
            worst[entry.session_id] = entry
    told = titles or {}
    made = [
        replace(_card(row, worst.get(row.id), unread.get(row.id, 0)), exam=told.get(row.exam_id, "")) for row in rows
    ]
    return sorted(made, key=lambda card: (-card.rank, ORDER.index(card.state), card.row.student_name.casefold()))


def _card(row: SessionRow, entry: Violation | None, unread: int) -> Card:
    state = words.state_of(row.status, row.connection)
    card = Card(row, state, words.STATES[state], words.ICONS[state])
    if row.status not in LIVE:
        return card
    found = [*_of_entry(entry), *_of_line(row), *_of_words(row, unread)]
    if not found:
        return card
    rank, tone, why, told, silent = max(found, key=lambda one: one[0])
    return Card(row, state, card.word, card.icon, rank, tone, why, told, silent)


def _of_entry(entry: Violation | None) -> Sequence[tuple[int, str, str, Any, str]]:
    if entry is None:
        return ()
    tone = "warning" if entry.severity == Severity.MEDIUM else "danger"
    return ((RANKS[entry.severity], tone, "entry", words.VIOLATIONS.get(entry.type, entry.type), ""),)


def _of_line(row: SessionRow) -> Sequence[tuple[int, str, str, Any, str]]:
    if row.status != "disconnected":
        return ()
    return ((RANKS["silent"], "danger", "silent", "", _span(row.now - (row.last_heartbeat or row.started_at))),)


def _of_words(row: SessionRow, unread: int) -> Sequence[tuple[int, str, str, Any, str]]:
    rank, tone = (RANKS["locked"], "danger") if row.status == "paused" else (RANKS["hand"], "warning")
    if row.hand_raised_at:
        return ((rank, tone, "hand", row.hand_note, ""),)
    return ((rank, tone, "wrote", "", ""),) if unread else ()


def _span(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} m" if seconds < 3600 else f"{seconds // 3600} h"


def tallied(found: Sequence[Card], now: datetime | None = None) -> dict[str, int]:
    """What stands on the filter's chips."""
    status = [card.row.status for card in found]
    return {
        "all": len(found),
        "attention": sum(1 for card in found if card.rank),
        "active": status.count("active"),
        "disconnected": status.count("disconnected"),
        "paused": status.count("paused"),
        "submitted": status.count("submitted"),
        "ended": status.count("terminated") + status.count("expired"),
        "hand": sum(1 for card in found if card.row.hand_raised_at and card.row.status in LIVE),
        "review": sum(1 for card in found if card.row.unreviewed_count),
    }
