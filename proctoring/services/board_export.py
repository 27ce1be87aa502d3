"""A board as a table for spreadsheets. No cell that somebody wrote is taken for a formula."""

from collections.abc import Iterator
from typing import Any

from crm.spreadsheets import csv_lines
from proctoring.models import Leaderboard, LeaderboardEntry
from proctoring.queries.boards import ORDER

HEADER = ("rank", "nickname", "score", "max_score", "percentage", "submitted_at", "is_hidden", "submission_id")
AT_ONCE = 2_000


def csv_of(board: Leaderboard) -> str:
    return "".join(csv_lines(HEADER, _rows(board)))


def _rows(board: Leaderboard) -> Iterator[tuple[Any, ...]]:
    """In order, hidden ones without a rank."""
    place = rank = 0
    before = None
    for entry in LeaderboardEntry.objects.filter(board=board).order_by(*ORDER).iterator(AT_ONCE):
        if not entry.is_hidden:
            place += 1
            rank = rank if entry.score == before else place
            before = entry.score
        yield (
            None if entry.is_hidden else rank,
            entry.nickname,
            _plain(entry.score),
            _plain(entry.max_score),
            _plain(entry.percentage),
            entry.submitted_at,
            entry.is_hidden,
            entry.submission_id,
        )


def _plain(value: Any) -> float:
    return int(value) if value == value.to_integral_value() else float(value)
