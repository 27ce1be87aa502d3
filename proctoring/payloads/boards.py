"""What the outside sees of a leaderboard: one form for REST and live events."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

from proctoring.models import BoardSnapshot, Leaderboard, LeaderboardEntry


class EntryPayload(TypedDict):
    id: UUID
    rank: int
    nickname: str
    score: float
    max_score: float
    percentage: float
    submitted_at: datetime
    revision: int  # changes since it was first set: 0 is a new player


class OwnPlacePayload(TypedDict):
    row: EntryPayload
    before: list[EntryPayload]
    after: list[EntryPayload]


class BoardPayload(TypedDict):
    """For those who look after it."""

    id: UUID
    quiz_code: str
    name: str
    exam_id: str
    is_open: bool
    is_hidden: bool
    is_private: bool
    join_code: str
    keep_days: int
    closed_at: datetime | None
    created_at: datetime


class KeptEntryPayload(EntryPayload):
    """For those who look after the board."""

    is_hidden: bool
    is_renamed: bool
    conflicts: int


class SnapshotPayload(TypedDict):
    id: UUID
    taken_at: datetime
    players: int
    rows: list[EntryPayload]


def entry_payload(entry: LeaderboardEntry, rank: int) -> EntryPayload:
    """Public: whose submission it is stays inside."""
    return {
        "id": entry.pk,
        "rank": rank,
        "nickname": entry.nickname,
        "score": _number(entry.score),
        "max_score": _number(entry.max_score),
        "percentage": _number(entry.percentage),
        "submitted_at": entry.submitted_at,
        "revision": entry.revision,
    }


def kept_entry_payload(entry: LeaderboardEntry, rank: int) -> KeptEntryPayload:
    return {
        **entry_payload(entry, rank),
        "is_hidden": entry.is_hidden,
        "is_renamed": entry.is_renamed,
        "conflicts": entry.conflicts,
    }


def board_payload(board: Leaderboard) -> BoardPayload:
    return {
        "id": board.pk,
        "quiz_code": board.quiz_code,
        "name": board.name,
        "exam_id": board.exam_id,
        "is_open": board.is_open,
        "is_hidden": board.is_hidden,
        "is_private": bool(board.join_code),
        "join_code": board.join_code,
        "keep_days": board.keep_days,
        "closed_at": board.closed_at,
        "created_at": board.created_at,
    }


def _number(value: Decimal) -> float:
    """Whole numbers without a point, as they were pushed."""
    return int(value) if value == value.to_integral_value() else float(value)


def snapshot_payload(snapshot: BoardSnapshot) -> SnapshotPayload:
    return {"id": snapshot.pk, "taken_at": snapshot.taken_at, "players": snapshot.players, "rows": snapshot.rows}
