"""Entries of a board: one for each submission, however often it is pushed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from uuid import UUID

from django.db.models import F

from config.live.unit import unit_of_work
from crm.actors import System
from jobs import rows
from jobs.compiled import Compiled
from proctoring.errors import NoSuchBoard
from proctoring.events import announce_entry
from proctoring.models import Leaderboard, LeaderboardEntry, ScoreCorrection
from proctoring.queries import boards_by_code, rank_of
from proctoring.queries.boards import ranks_of
from proctoring.services import nicknames

THOUSANDTH = Decimal("0.001")
_OPEN_BOARD = Compiled(
    lambda code, workspace_id: (
        boards_by_code(code).filter(workspace_id=workspace_id, is_open=True).select_for_update(no_key=True)
    ),
    str,
    UUID,
)


@dataclass(frozen=True, slots=True)
class Pushed:
    submission_id: str
    quiz_code: str
    exam_id: str
    nickname: str
    score: Decimal
    max_score: Decimal
    submitted_at: datetime
    correction_id: str = ""


class Outcome(StrEnum):
    STORED = "stored"
    UNCHANGED = "unchanged"  # known already, or a correction that has been made
    CONFLICT = "conflict"  # another score for the same submission, and nothing that says it is a correction
    CORRECTED = "corrected"


@unit_of_work
def set_entry(*, actor: System, pushed: Pushed) -> Outcome:
    """Once per submission; changed only by a correction, and by each of those once."""
    nicknames.is_rude(pushed.nickname)  # looked up before anybody has to wait for the board
    board = _board(actor, pushed)
    entry = _new(board, pushed)
    if rows.insert(entry):
        if pushed.correction_id:  # it overtook the score that it corrects
            _note_correction(entry, pushed, before=entry.score)
        announce_entry(board, entry, rank_of(entry))
        return Outcome.STORED
    (stored,) = _stored(actor, [pushed.submission_id])
    return _tell_again(board, stored, pushed)


@unit_of_work
def set_entries(*, actor: System, pushes: Sequence[Pushed]) -> list[Outcome]:
    """As `set_entry` for each: first those that are new, then, one after the other, what says something of an entry
    that is there. NoSuchBoard when one of the boards is not open."""
    new = _likely_new(pushes)
    for place in new:
        nicknames.is_rude(pushes[place].nickname)
    # By code, so that two who set many entries meet the boards in the same order.
    codes = sorted({pushed.quiz_code.lower() for pushed in pushes})
    boards = {code: _board(actor, next(p for p in pushes if p.quiz_code.lower() == code)) for code in codes}
    of = [boards[pushed.quiz_code.lower()] for pushed in pushes]
    made = {place: _new(of[place], pushes[place]) for place in new}
    kept = rows.insert_all(list(made.values()))
    stored = [entry for entry in made.values() if entry.pk in kept]
    for entry, rank in zip(stored, _ranks_in_turn(stored), strict=True):
        announce_entry(entry.board, entry, rank)
    outcomes = {place: Outcome.STORED for place, entry in made.items() if entry.pk in kept}
    others = [place for place in range(len(pushes)) if place not in outcomes]
    known = {entry.submission_id: entry for entry in _stored(actor, [pushes[place].submission_id for place in others])}
    for place in others:
        pushed = pushes[place]
        there = known.get(pushed.submission_id)
        outcomes[place] = _tell_again(of[place], there, pushed) if there else set_entry(actor=actor, pushed=pushed)
    return [outcomes[place] for place in range(len(pushes))]


def _likely_new(pushes: Sequence[Pushed]) -> list[int]:
    """Places of the first push of each submission, corrections apart."""
    first: dict[str, int] = {}
    for place, pushed in enumerate(pushes):
        first.setdefault(pushed.submission_id, place)
    return [place for place in first.values() if not pushes[place].correction_id]


def _stored(actor: System, submissions: Sequence[str]) -> list[LeaderboardEntry]:
    """Locked, whatever board they are on."""
    if not submissions:
        return []
    found = LeaderboardEntry.objects.filter(workspace_id=actor.workspace_id, submission_id__in=submissions)
    return list(found.select_for_update(no_key=True).order_by("pk"))


def _tell_again(board: Leaderboard, stored: LeaderboardEntry, pushed: Pushed) -> Outcome:
    if stored.board_id != board.pk:
        return _conflict(stored)
    return _correct(board, stored, pushed) if pushed.correction_id else _repeat(stored, pushed)


def _ranks_in_turn(entries: Sequence[LeaderboardEntry]) -> list[int]:
    """What each one's rank was when it came: without the better ones that came after it."""
    return [
        rank - sum(later.board_id == entry.board_id and later.score > entry.score for later in entries[place + 1 :])
        for place, (entry, rank) in enumerate(zip(entries, ranks_of(entries), strict=True))
    ]


def _board(actor: System, pushed: Pushed) -> Leaderboard:
    """Locked: one after the other, so that the rank in an event is the rank at its number."""
    board = _OPEN_BOARD.first(pushed.quiz_code.lower(), actor.workspace_id)
    if board is None:
        raise NoSuchBoard
    return board


def _new(board: Leaderboard, pushed: Pushed) -> LeaderboardEntry:
    """A score is not lost over a rude name: the entry gets one of ours instead."""
    name = nicknames.instead_of(pushed.nickname, seed=pushed.submission_id)
    return LeaderboardEntry(
        workspace_id=board.workspace_id,
        board=board,
        submission_id=pushed.submission_id,
        exam_id=pushed.exam_id,
        nickname=name,
        is_renamed=name != pushed.nickname,
        score=pushed.score,
        max_score=pushed.max_score,
        percentage=percentage(pushed.score, pushed.max_score),
        submitted_at=pushed.submitted_at,
    )


def percentage(score: Decimal, max_score: Decimal) -> Decimal:
    return (score * 100 / max_score).quantize(THOUSANDTH, ROUND_HALF_UP)


def _repeat(stored: LeaderboardEntry, pushed: Pushed) -> Outcome:
    same = (stored.score, stored.max_score) == (pushed.score, pushed.max_score)
    return Outcome.UNCHANGED if same or _was_corrected(stored, pushed) else _conflict(stored)


def _was_corrected(stored: LeaderboardEntry, pushed: Pushed) -> bool:
    """The score from before the correction, pushed once more: what it said then is known."""
    return stored.corrections.filter(score_before=pushed.score).exists()


def _conflict(stored: LeaderboardEntry) -> Outcome:
    LeaderboardEntry.objects.filter(pk=stored.pk).update(conflicts=F("conflicts") + 1)
    return Outcome.CONFLICT


def _correct(board: Leaderboard, stored: LeaderboardEntry, pushed: Pushed) -> Outcome:
    if not _note_correction(stored, pushed, before=stored.score):
        return Outcome.UNCHANGED
    corrected = _new(board, pushed)
    changed = ["score", "max_score", "percentage"]
    if not stored.is_renamed:
        changed += ["nickname", "is_renamed"]
    for name in changed:
        setattr(stored, name, getattr(corrected, name))
    stored.revision += 1
    rows.update(stored, [*changed, "revision", "updated_at"])
    announce_entry(board, stored, rank_of(stored))
    return Outcome.CORRECTED


def _note_correction(stored: LeaderboardEntry, pushed: Pushed, *, before: Decimal) -> bool:
    """False when a correction of this id has been made."""
    correction = ScoreCorrection(
        workspace_id=stored.workspace_id,
        entry=stored,
        correction_id=pushed.correction_id,
        score_before=before,
        score_after=pushed.score,
    )
    return rows.insert(correction)
