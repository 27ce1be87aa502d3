"""Sample submissions from a file onto their boards, by the same checks and the same service as a push."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from config.errors import DomainError
from config.live.unit import unit_of_work
from crm.actors import System
from proctoring.queries import boards_by_code
from proctoring.services.boards import create_board
from proctoring.services.leaderboard import Pushed, set_entries
from webhooks.bodies import Unreadable
from webhooks.scores import payload
from webhooks.scores.payload import Score

SOURCE = "leaderboard backfill"
BATCH = 100  # submissions of one transaction: their events go out together
NUMBERS = ("score", "max_score")


@dataclass(slots=True)
class Report:
    read: int = 0
    refused: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: list[tuple[int, str]] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {"read": self.read, **dict(sorted(self.outcomes.items())), "refused": self.refused}


def count(file: Path) -> int:
    """Of what will be read, for the bar: a table's first line names its columns."""
    with file.open("rb") as lines:
        return max(0, sum(1 for line in lines if line.strip()) - _is_table(file))


def _is_table(file: Path) -> bool:
    return file.suffix.lower() == ".csv"


def backfill(
    *, workspace_id: UUID, file: Path, quiz_code: str, create_boards: bool, done: Callable[[int], object]
) -> Report:
    """Line by line, in order. A line that is refused harms none of the others."""
    actor, report, known = System(workspace_id, SOURCE), Report(), set[str]()
    lines = _lines(file)
    while batch := list(islice(lines, BATCH)):
        scores = []
        for number, data in batch:
            report.read += 1
            try:
                score = _score(data, quiz_code)
                _see_to_board(actor, score.quiz_code, known, create=create_boards)
            except (Unreadable, DomainError) as error:
                report.refused += 1
                report.reasons.append((number, str(error)))
            else:
                scores.append(score)
        report.outcomes.update(_store(actor, scores))
        done(report.read)
    return report


@unit_of_work
def _store(actor: System, scores: list[Score]) -> list[str]:
    outcomes = set_entries(actor=actor, pushes=[_pushed(score) for score in scores])
    return [outcome.value for outcome in outcomes]


def _see_to_board(actor: System, quiz_code: str, known: set[str], *, create: bool) -> None:
    code = quiz_code.lower()
    if code in known:
        return
    if boards_by_code(code).filter(workspace_id=actor.workspace_id, is_open=True).exists():
        known.add(code)
    elif create and not boards_by_code(code).exists():
        create_board(actor=actor, quiz_code=quiz_code, fields={})
        known.add(code)
    else:
        raise Unreadable(f"{quiz_code} is no open board of this workspace.")


def _lines(file: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """With their numbers; what cannot be read at all as a sentence."""
    if _is_table(file):
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text)
            for row in rows:
                yield rows.line_num, _of_csv(row)
        return
    with file.open("rb") as raw:
        for number, line in enumerate(raw, start=1):
            if line.strip():
                yield number, _of_json(line)


def _of_json(line: bytes) -> dict[str, Any] | str:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return f"not JSON: {error.msg}"
    return data if isinstance(data, dict) else "not an object"


def _of_csv(row: dict[str, Any]) -> dict[str, Any]:
    """Empty cells are fields that are not there; numbers are written as text."""
    data: dict[str, Any] = {name: value for name, value in row.items() if name and value not in {None, ""}}
    for name in NUMBERS:
        if isinstance(data.get(name), str):
            data[name] = _number(data[name])
    return data


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _score(data: dict[str, Any] | str, quiz_code: str) -> Score:
    if isinstance(data, str):
        raise Unreadable(data)
    given = {"exam_id": "", **data}
    if quiz_code:
        given.setdefault("quiz_code", quiz_code)
    return payload.read(orjson.dumps(given), now=datetime.now(UTC))


def _pushed(score: Score) -> Pushed:
    return Pushed(
        submission_id=score.submission_id,
        quiz_code=score.quiz_code,
        exam_id=score.exam_id,
        nickname=score.nickname,
        score=score.score,
        max_score=score.max_score,
        submitted_at=score.submitted_at,
        correction_id=score.correction_id,
    )
