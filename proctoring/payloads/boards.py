"""What the outside sees of a leaderboard: one form for REST and live events."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

from proctoring.models import LeaderboardEntry


class EntryPayload(TypedDict):
    id: UUID
    rank: int
    nickname: str
    score: float
    max_score: float
    percentage: float
    submitted_at: datetime


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
    }


def _number(value: Decimal) -> float:
    """Whole numbers without a point, as they were pushed."""
    return int(value) if value == value.to_integral_value() else float(value)
