"""When a page of the board had drawn each change, from what a browser noted of its frames. Pure.

A new entry is counted, so the number of players tells of each of them, on the board's first rows or far below. Whatever
stands among the first rows is drawn there besides. A correction that neither comes to them nor leaves them changes
nothing that a page shows, and is no change here.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One event of the round, in the order of their numbers."""

    submission: str
    revision: int
    score: float

    @property
    def told(self) -> str:
        return f"{self.submission}:{self.revision}"


def delays(
    changes: Sequence[Change],
    *,
    before: Sequence[float],
    top: int,
    seen: Mapping[str, Any],
    set_out: Mapping[str, Sequence[float]],
) -> tuple[list[float], list[str]]:
    """Milliseconds from each push to the frame that shows it, and those that no frame ever showed.

    `before`: the scores that stood there already. `seen`: `rows`, when each "name=score" was first drawn, and
    `players`, each number with the moment of its first frame. `set_out`: the moment of each push, second of its pair.
    """
    scores = sorted(-score for score in before)  # best first
    own: dict[str, float] = {}
    counted = seen["players"][0][0]
    found, missed = [], []
    for change in changes:
        was = own.get(change.submission)
        if was is not None:
            scores.pop(bisect_left(scores, -was))
        is_first = bisect_left(scores, -change.score) < top
        insort(scores, -change.score)
        own[change.submission] = change.score
        counted += change.revision == 0
        moments = [
            *_count_moments(seen["players"], counted if change.revision == 0 else None),
            *_row_moments(seen["rows"], change if is_first and was != change.score else None),
        ]
        if moments:
            found.append(max(moments) - set_out[change.told][1])
        elif change.revision == 0:
            missed.append(change.told)
    return found, missed


def _count_moments(players: Sequence[Sequence[float]], count: int | None) -> list[float]:
    return [] if count is None else [moment for number, moment in players if number >= count][:1]


def _row_moments(rows: Mapping[str, float], change: Change | None) -> list[float]:
    """None for one that another pushed out again before it was drawn."""
    drawn = rows.get(f"Player {change.submission}={change.score:,.0f}") if change else None
    return [] if drawn is None else [drawn]
