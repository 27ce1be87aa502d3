"""The live topics of proctoring: their names, and who may listen."""

from config.live.identity import Identity
from config.live.topics import register
from proctoring.models import Leaderboard


def leaderboard(quiz_code: str) -> str:
    """By the code as it is stored: whatever case somebody writes it in, there is one topic."""
    return f"leaderboard.{quiz_code}"


def _is_there(identity: Identity | None, quiz_code: str) -> bool:
    return Leaderboard.objects.filter(quiz_code=quiz_code).exists()


def register_topics() -> None:
    register("leaderboard", _is_there, public=True)
