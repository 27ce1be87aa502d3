"""The demo's leaderboard is there, and as if it had been pushed."""

import pytest

from config.run.demo.boards import PLAYERS, QUIZ_CODE
from proctoring.models import LeaderboardEntry
from proctoring.services.leaderboard import percentage
from tests.api import Api
from tests.run.demo_data import demo_loaded


@pytest.fixture(scope="module", autouse=True)
def loaded():
    with demo_loaded() as loaded:
        yield loaded


def test_everybody_sees_it_in_its_order():
    rows = Api().get(f"/api/v1/leaderboards/{QUIZ_CODE}").json()["results"]
    assert [row["nickname"] for row in rows] == [nickname for nickname, _, _ in PLAYERS]
    assert [row["rank"] for row in rows[:4]] == [1, 2, 2, 4]


def test_percentages_are_those_of_the_scores():
    for entry in LeaderboardEntry.objects.filter(board__quiz_code=QUIZ_CODE):
        assert entry.percentage == percentage(entry.score, entry.max_score)
