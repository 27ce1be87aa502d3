"""Reads of boards. No writes."""

from dataclasses import dataclass

from django.db.models import F, QuerySet, Window
from django.db.models.functions import Lower, Rank

from config.live.events import head
from proctoring import topics
from proctoring.errors import NoSuchBoard
from proctoring.models import Leaderboard, LeaderboardEntry
from proctoring.payloads import EntryPayload, entry_payload


@dataclass(frozen=True, slots=True)
class BoardPage:
    board: Leaderboard
    topic: str
    seq: int
    rows: list[EntryPayload]
    has_more: bool


def boards_by_code(quiz_code: str) -> "QuerySet[Leaderboard]":
    """One or none, whatever the case of the code."""
    return Leaderboard.objects.alias(code=Lower("quiz_code")).filter(code=quiz_code.lower())


def board_page(quiz_code: str, *, start: int, limit: int) -> BoardPage:
    """Best first, of equals the earlier. The live number is read before the state."""
    board = boards_by_code(quiz_code).first()
    if board is None:
        raise NoSuchBoard
    topic = topics.leaderboard(board.quiz_code)
    seq = head(topic)
    entries = LeaderboardEntry.objects.filter(board=board).annotate(
        place=Window(Rank(), order_by=F("score").desc()),
    )
    found = list(entries.order_by("-score", "submitted_at", "id")[start : start + limit + 1])
    rows = [entry_payload(entry, vars(entry)["place"]) for entry in found[:limit]]
    return BoardPage(board, topic, seq, rows, len(found) > limit)
