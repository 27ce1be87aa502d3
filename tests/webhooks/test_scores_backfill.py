"""`manage.py backfill_leaderboard`: sample submissions onto a board, as often as one likes."""

import json
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from proctoring.models import Leaderboard, LeaderboardEntry
from tests.cast import make_workspace, unique

LINE = {"nickname": "Zoë", "score": 8, "max_score": 10, "submitted_at": "2026-01-05T10:00:00Z"}


@pytest.fixture
def board() -> Leaderboard:
    return Leaderboard.objects.create(workspace=make_workspace("demo"), quiz_code=unique("KIDS"))


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def backfill(board: Leaderboard, file: Path, *more: str) -> str:
    out = StringIO()
    call_command("backfill_leaderboard", str(file), "--workspace", board.workspace.slug, *more, stdout=out)
    return out.getvalue()


def test_lines_of_json_twice_are_each_an_entry_once(board, tmp_path):
    file = tmp_path / "sample.jsonl"
    lines = [{**LINE, "submission_id": f"{board.pk}-{n}", "quiz_code": board.quiz_code, "score": n} for n in range(5)]
    file.write_text("\n".join(map(json.dumps, lines)))
    assert "stored        5" in backfill(board, file)
    assert "unchanged        5" in backfill(board, file)
    assert LeaderboardEntry.objects.filter(board=board).count() == 5


def test_a_terminal_shows_how_far_it_is(board, tmp_path, monkeypatch):
    file = tmp_path / "sample.jsonl"
    lines = [{**LINE, "submission_id": f"{board.pk}-{n}", "quiz_code": board.quiz_code} for n in range(3)]
    file.write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    backfill(board, file)
    assert "sample.jsonl" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()
    table = tmp_path / "sample.csv"
    table.write_text(
        f"{','.join(['submission_id', 'quiz_code', *LINE])}\n{unique('s')},{board.quiz_code},Z,1,2,2026-01-05"
    )
    backfill(board, table)
    assert "1/1" in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", plain := StringIO())
    backfill(board, file)
    assert plain.getvalue() == ""


def test_a_table_names_its_board_by_an_option_and_bad_lines_harm_no_good_ones(board, tmp_path):
    file = tmp_path / "sample.csv"
    rows = [f"{board.pk}-1,Zoë,8.5,10,2026-01-05T10:00:00Z", f"{board.pk}-2,Rafi,eleven,10,2026-01-05T10:00:00Z"]
    file.write_text("submission_id,nickname,score,max_score,submitted_at\n" + "\n".join(rows))
    with pytest.raises(CommandError, match="1 of 2 lines were refused"):
        backfill(board, file, "--quiz-code", board.quiz_code)
    (entry,) = LeaderboardEntry.objects.filter(board=board)
    assert (entry.nickname, float(entry.score)) == ("Zoë", 8.5)


def test_boards_are_made_only_when_asked_for(board, tmp_path):
    code, file = unique("NEW"), tmp_path / "sample.jsonl"
    file.write_text(json.dumps({**LINE, "submission_id": unique("sub"), "quiz_code": code}))
    with pytest.raises(CommandError):
        backfill(board, file)
    backfill(board, file, "--create-boards")
    assert LeaderboardEntry.objects.filter(board__quiz_code=code).count() == 1


def test_a_thousand_lines_with_repeats_and_corrections_among_them_are_as_one_by_one(board, tmp_path):
    file, first = tmp_path / "sample.jsonl", f"{board.pk}-0"
    lines = [{**LINE, "submission_id": f"{board.pk}-{n}", "quiz_code": board.quiz_code} for n in range(250)]
    lines.insert(7, {**lines[0], "score": 9, "correction_id": f"{first}-fix"})
    lines.insert(9, lines[1])
    lines.insert(130, {**lines[2], "score": 1})
    early = {**LINE, "submission_id": f"{board.pk}-early", "quiz_code": board.quiz_code, "score": 3}
    lines += [{**early, "correction_id": f"{first}-early"}, {**early, "score": 2}]
    file.write_text("\n".join(map(json.dumps, lines)))
    said = backfill(board, file).split()
    counts = dict(zip(said[::2], said[1::2], strict=True))
    assert counts == {
        "read": "255",
        "conflict": "2",
        "corrected": "1",
        "stored": "251",
        "unchanged": "1",
        "refused": "0",
    }
    scores = dict(LeaderboardEntry.objects.filter(board=board).values_list("submission_id", "score"))
    assert len(scores) == 251
    assert [float(scores[one]) for one in (first, f"{board.pk}-early")] == [9, 3]


def test_a_table_of_other_letters_is_said_to_be_none(board, tmp_path):
    file = tmp_path / "sample.csv"
    file.write_bytes("submission_id,nickname\nx,Zoë".encode("latin-1"))
    with pytest.raises(CommandError, match="UTF-8"):
        backfill(board, file)
