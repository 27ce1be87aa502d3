"""The demo's leaderboard: a quiz that a class of children has just finished."""

from datetime import datetime, timedelta
from decimal import Decimal

from config.run.demo.people import DEMO
from crm.ids import uuid7_at
from proctoring.models import Leaderboard, LeaderboardEntry
from proctoring.services.leaderboard import percentage

QUIZ_CODE = "KIDS1"
EXAM = "demo-exam"
MOST = Decimal(20)
# Nickname, score, minutes ago. Two share a place, and the earlier stands first.
PLAYERS = (
    ("Zoë 🦊", "19", 52),
    ("Rafi", "18.5", 48),
    ("小明", "18.5", 44),
    ("Aanya", "17", 51),
    ("Kofi", "16", 47),
    ("Lucía", "15.5", 50),
    ("نور", "15", 46),
    ("Tomás", "14", 43),
    ("Mei", "12.5", 49),
    ("Ravi ⚽", "11", 45),
    ("Freya", "9", 42),
    ("Sami", "7.5", 41),
)


def create_board(now: datetime) -> None:
    since = now - timedelta(days=1)
    board = Leaderboard.objects.create(
        id=uuid7_at(since), workspace_id=DEMO.id, quiz_code=QUIZ_CODE, name="Kids' quiz 1", exam_id=EXAM
    )
    LeaderboardEntry.objects.bulk_create(
        [_entry(board, number, *player, now=now) for number, player in enumerate(PLAYERS, start=1)]
    )


def _entry(
    board: Leaderboard, number: int, nickname: str, score: str, minutes: int, *, now: datetime
) -> LeaderboardEntry:
    at = now - timedelta(minutes=minutes)
    return LeaderboardEntry(
        id=uuid7_at(at),
        workspace_id=board.workspace_id,
        board=board,
        submission_id=f"demo-submission-{number}",
        exam_id=EXAM,
        nickname=nickname,
        score=Decimal(score),
        max_score=MOST,
        percentage=percentage(Decimal(score), MOST),
        submitted_at=at,
    )
