"""The board as everybody sees it: order, ranks, live."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from config.live.events import events_after, head
from config.live.topics import may_listen
from crm.actors import System
from proctoring.errors import NoSuchBoard
from proctoring.models import Leaderboard, LeaderboardEntry
from proctoring.services.leaderboard import Outcome, Pushed, set_entry
from proctoring.topics import leaderboard
from tests.api import Api
from tests.cast import make_workspace, unique

THEN = datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.fixture
def board() -> Leaderboard:
    return Leaderboard.objects.create(workspace=make_workspace("demo"), quiz_code=unique("KIDS"), name="Kids")


def push(board: Leaderboard, score: float, nickname: str = "Zoë", **more: Any) -> Outcome:
    given: dict[str, Any] = {"submission_id": unique("sub"), "exam_id": "demo-exam", "max_score": Decimal(10)}
    given |= {"submitted_at": THEN, **more}
    return set_entry(
        actor=System(board.workspace_id, "test"),
        pushed=Pushed(quiz_code=board.quiz_code, nickname=nickname, score=Decimal(str(score)), **given),
    )


def shown(board: Leaderboard, **query: Any) -> dict[str, Any]:
    answer = Api().get(f"/api/v1/leaderboards/{board.quiz_code}", **query)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_best_first_and_of_equals_the_earlier_with_one_rank(board):
    push(board, 7, "late", submitted_at=THEN + timedelta(minutes=5))
    push(board, 9, "best")
    push(board, 7, "early")
    push(board, 3.5, "last")
    rows = [(row["rank"], row["nickname"]) for row in shown(board)["results"]]
    assert rows == [(1, "best"), (2, "early"), (2, "late"), (4, "last")]


def test_a_row_has_the_contracts_fields_and_nothing_of_the_submission(board):
    push(board, 7.25)
    (row,) = shown(board)["results"]
    del row["id"]
    assert row == {
        "rank": 1,
        "nickname": "Zoë",
        "score": 7.25,
        "max_score": 10,
        "percentage": 72.5,
        "submitted_at": "2026-01-05T10:00:00Z",
        "revision": 0,
    }


def test_everybody_may_read_it_in_any_case_and_nobody_may_write(board):
    path = f"/api/v1/leaderboards/{board.quiz_code.lower()}"
    assert Api().get(path).json()["quiz_code"] == board.quiz_code
    assert Api().post(path, {}).status_code == 405


def test_a_board_that_is_not_there_is_404(board):
    answer = Api().get("/api/v1/leaderboards/nobody-has-this")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_board")


def test_pages_follow_each_other_with_ranks_of_the_whole(board):
    for score in (1, 2, 2, 3, 4):
        push(board, score)
    first = shown(board, limit=2)
    second = Api().get(first["next"]).json()
    third = Api().get(second["next"]).json()
    ranks = [row["rank"] for page in (first, second, third) for row in page["results"]]
    assert ranks == [1, 2, 3, 3, 5]
    assert (first["previous"], third["next"]) == (None, None)


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "x"}, {"cursor": "9" * 99}])
def test_a_query_that_makes_no_sense_is_400(board, query):
    assert Api().get(f"/api/v1/leaderboards/{board.quiz_code}", **query).status_code == 400


def test_a_new_entry_is_told_and_a_repeat_is_not(board):
    live = shown(board)["live"]
    assert live == {"topic": f"leaderboard.{board.quiz_code}", "seq": 0}
    push(board, 7, submission_id="one")
    push(board, 7, submission_id="one")
    push(board, 8, submission_id="one")
    (told,) = events_after(live["topic"], 0)
    assert told.type == "entry.set"
    assert told.data == shown(board)["results"][0]
    push(board, 9, submission_id="one", correction_id=unique("fix"))
    assert [event.data["score"] for event in events_after(live["topic"], 1)] == [9]
    assert head(live["topic"]) == 2


def test_snapshot_and_events_come_to_the_same_entries(board):
    told: dict[str, float] = {}
    for number in range(5):
        push(board, number, submission_id=f"{board.pk}-{number % 3}", correction_id=unique("fix"))
    for event in events_after(leaderboard(board.quiz_code), 0):
        told[event.data["id"]] = event.data["score"]
    assert told == {row["id"]: row["score"] for row in shown(board)["results"]}


def test_anybody_may_listen_to_a_board_that_is_there(board):
    assert may_listen(None, leaderboard(board.quiz_code))
    assert not may_listen(None, "leaderboard.nobody-has-this")
    assert not may_listen(None, "leaderboard.")


def test_twenty_at_once_of_one_submission_are_one_entry_and_one_event(board, at_once):
    results = at_once(lambda: push(board, 7, submission_id="same"), 20)
    assert sorted(results) == sorted([Outcome.STORED] + [Outcome.UNCHANGED] * 19)
    assert LeaderboardEntry.objects.filter(board=board).count() == 1
    assert head(leaderboard(board.quiz_code)) == 1


def test_twenty_corrections_of_one_id_at_once_are_one(board, at_once):
    push(board, 7, submission_id="same")
    results = at_once(lambda: push(board, 8, submission_id="same", correction_id=f"{board.pk}"), 20)
    assert sorted(results) == sorted([Outcome.CORRECTED] + [Outcome.UNCHANGED] * 19)


def test_a_correction_that_overtakes_its_score_stands(board):
    assert push(board, 9, submission_id="same", correction_id=unique("fix")) is Outcome.STORED
    assert push(board, 7, submission_id="same") is Outcome.CONFLICT
    assert shown(board)["results"][0]["score"] == 9


def test_a_board_of_another_workspace_is_none(board):
    stranger = make_workspace("elsewhere")
    with pytest.raises(NoSuchBoard):
        set_entry(
            actor=System(stranger.pk, "test"),
            pushed=Pushed("s", board.quiz_code, "", "Zoë", Decimal(1), Decimal(2), THEN),
        )


def test_a_page_costs_three_queries(board, assert_queries):
    push(board, 7)
    with assert_queries(3):
        shown(board)
