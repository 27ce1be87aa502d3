"""What changes often is told seldom, and the last change is always told."""

import threading

import pytest
from django.db import OperationalError

from config.live.coalesce import Coalescer

DEADLINE = 20.0  # seconds


class Heard:
    def __init__(self) -> None:
        self.calls: list[set[int]] = []
        self.called = threading.Condition()
        self.fails = False

    def __call__(self, keys: set[int]) -> None:
        with self.called:
            self.calls.append(keys)
            self.called.notify_all()
        if self.fails:
            raise OperationalError

    def wait_for(self, key: int, times: int = 1) -> None:
        with self.called:
            assert self.called.wait_for(lambda: sum(key in call for call in self.calls) >= times, DEADLINE)


@pytest.fixture
def heard(db: None) -> Heard:
    return Heard()


def test_what_is_noted_close_together_is_dealt_with_at_once(heard: Heard):
    teller: Coalescer[int] = Coalescer("together", heard, breath=0.05)
    for _ in range(100):
        for key in (1, 2, 3):
            teller.note(key)
    teller.note(4)
    heard.wait_for(4)
    assert sum(1 in call for call in heard.calls) <= 2
    assert set().union(*heard.calls) == {1, 2, 3, 4}


def test_a_change_during_the_telling_is_told_afterwards(db: None):
    inside, go_on = threading.Event(), threading.Event()
    heard = Heard()

    def slowly(keys: set[int]) -> None:
        heard(keys)
        inside.set()
        assert go_on.wait(DEADLINE)

    teller: Coalescer[int] = Coalescer("during", slowly, breath=0.0)
    teller.note(1)
    assert inside.wait(DEADLINE)
    teller.note(1)
    go_on.set()
    heard.wait_for(1, times=2)


def test_a_database_that_is_away_stops_one_telling_and_not_the_teller(heard: Heard):
    teller: Coalescer[int] = Coalescer("away", heard, breath=0.0)
    heard.fails = True
    teller.note(1)
    heard.wait_for(1)
    heard.fails = False
    teller.note(2)
    heard.wait_for(2)
