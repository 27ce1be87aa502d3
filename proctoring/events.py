"""What proctoring announces."""

from dataclasses import dataclass
from typing import Any, ClassVar

from config.live.events import Event, publish
from proctoring import topics
from proctoring.models import Leaderboard, LeaderboardEntry
from proctoring.payloads import EntryPayload, entry_payload


@dataclass(frozen=True)
class EntrySet(Event):
    """A new entry, or one put right. Its rank is as of then: those below move down by themselves."""

    type: ClassVar[str] = "entry.set"
    entry: EntryPayload

    def data(self) -> dict[str, Any]:
        return dict(self.entry)


def announce_entry(board: Leaderboard, entry: LeaderboardEntry, rank: int) -> None:
    publish(topics.leaderboard(board.quiz_code), EntrySet(entry_payload(entry, rank)))
