import time

import httpx
import pytest

from tests.waiting import wait_for


@pytest.mark.parametrize(
    ("fail", "status", "taken"), [("409", 409, 0), ("429", 429, 0), ("500", 500, 0), ("500_after_accept", 500, 1)]
)
def test_it_refuses_in_kapso_s_way_when_told(simulator, fail, status, taken):
    simulator.behave(fail=fail)

    response = simulator.send()

    assert response.status_code == status
    assert isinstance(response.json()["error"], str)
    assert len(simulator.accepted()) == taken


def test_a_429_says_how_long_to_wait(simulator):
    simulator.behave(fail="429", retry_after=7)

    assert simulator.send().headers["Retry-After"] == "7"


@pytest.mark.parametrize(("told", "code"), [({"fail": "window"}, 131047), ({"fail": "code", "code": 131026}, 131026)])
def test_it_refuses_in_meta_s_way_when_told(simulator, told, code):
    simulator.behave(**told)

    assert simulator.send().json()["error"]["code"] == code
    assert simulator.accepted() == []


@pytest.mark.parametrize(("fail", "taken"), [("drop_before", 0), ("drop_after_accept", 1)])
def test_it_drops_the_connection_when_told(simulator, fail, taken):
    simulator.behave(fail=fail, next_n=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        simulator.send()

    assert len(simulator.accepted()) == taken
    assert len(simulator.list()["data"]) == taken


def test_it_takes_a_message_and_never_answers_when_told(simulator):
    simulator.behave(fail="timeout", next_n=1)

    with pytest.raises(httpx.ReadTimeout):
        simulator.send(timeout=0.3)

    assert len(simulator.accepted()) == 1


def test_it_fails_so_many_times_and_then_no_more(simulator):
    simulator.behave(fail="500", next_n=2)

    assert [simulator.send().status_code for _ in range(4)] == [500, 500, 200, 200]


def test_a_new_failure_is_for_good_unless_counted(simulator):
    simulator.behave(fail="500", next_n=0)
    simulator.behave(fail="429")

    assert [simulator.send().status_code for _ in range(3)] == [429, 429, 429]


def test_it_fails_by_chance_when_told(simulator):
    simulator.behave(fail="500", probability=0.5)

    assert {simulator.send().status_code for _ in range(60)} == {200, 500}


def test_it_is_slow_when_told(simulator):
    simulator.behave(latency_ms=200)
    began = time.monotonic()

    assert simulator.send().status_code == 200

    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    "changes",
    [
        {"fail": "softly"},
        {"statuses": "maybe"},
        {"customers": True},
        {"latency_ms": -1},
        {"latency_ms": "1"},
        {"next_n": 1.5},
        {"probability": "half"},
        {"mood": "grim"},
        [],
    ],
)
def test_nonsense_is_refused_and_changes_nothing(simulator, changes):
    response = simulator.http.post(f"{simulator.url}/_control/behaviour", json=changes)

    assert response.status_code == 400
    assert response.json()["error"].endswith(".")
    assert simulator.control("behaviour")["fail"] == "none"


def test_a_web_page_cannot_steer_it(simulator):
    response = simulator.http.get(f"{simulator.url}/_control/log", headers={"Host": "evil.example"})

    assert response.status_code == 400


def test_an_unknown_control_is_404(simulator):
    assert simulator.http.get(f"{simulator.url}/_control/nonsense").status_code == 404


def test_a_reset_forgets_all_but_the_numbers(simulator, receiver):
    simulator.behave(fail="500", next_n=1)
    simulator.send()
    simulator.send()

    simulator.control("reset", method="POST")

    assert simulator.accepted() == []
    assert simulator.control("behaviour")["fail"] == "none"
    assert simulator.send().status_code == 200
    wait_for(lambda: simulator.accepted()[0]["states"] == ["sent", "delivered", "read"])
