"""Limits of the REST API: by person and by address, answered as 429 with the seconds to wait."""

from typing import Any

import pytest
from django.test import Client

from tests.api import Api
from tests.cast import Cast


@pytest.fixture(autouse=True)
def _low(settings: Any) -> None:
    settings.SUPABASE_URL = ""
    settings.PERSON_REQUESTS_PER_MINUTE = 3
    settings.ADDRESS_REQUESTS_PER_MINUTE = 3


def test_one_person_who_asks_too_often_is_told_when_to_come_back(cast: Cast):
    for _ in range(3):
        assert Api(cast.ben).get("/api/v1/me").status_code == 200
    refused = Api(cast.ben).get("/api/v1/me")
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert Api(cast.ada).get("/api/v1/me").status_code == 200, "others are not held up"


def test_an_address_nobody_signed_in_from_is_limited_too():
    client, path = Client(REMOTE_ADDR="203.0.113.77"), "/api/v1/leaderboards/no-such-board"
    assert [client.get(path).status_code for _ in range(4)] == [404, 404, 404, 429]
    assert Client(REMOTE_ADDR="203.0.113.78").get(path).status_code == 404


def test_the_page_of_a_board_counts_as_well():
    client, path = Client(REMOTE_ADDR="203.0.113.79"), "/leaderboard/no-such-board"
    answers = [client.get(path) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert client.get("/api/v1/leaderboards/no-such-board").status_code == 429
