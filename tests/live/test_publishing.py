"""Numbers, units of work and what a rollback takes back."""

import random
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar
from uuid import uuid4

import pytest
from django.db import connection, transaction

from config.live import events, nudge
from config.live.events import Event, publish
from config.live.models import LiveEvent, LiveTopic
from config.live.unit import on_commit, unit_of_work


@dataclass(frozen=True)
class Noted(Event):
    type: ClassVar[str] = "test.noted"
    text: str


def a_topic(kind: str = "test") -> str:
    return f"{kind}.{uuid4()}"


def texts(topic: str) -> list[str]:
    return [event.data["text"] for event in events.events_after(topic, 0)]


def numbers(topic: str) -> list[int]:
    return [event.seq for event in events.events_after(topic, 0, limit=100_000)]


class Undone(Exception):
    pass


def test_publishing_outside_a_unit_is_refused():
    with pytest.raises(RuntimeError, match="unit_of_work"):
        publish(a_topic(), Noted("lost"))
    with transaction.atomic(), pytest.raises(RuntimeError, match="unit_of_work"):
        publish(a_topic(), Noted("lost"))


def test_a_unit_numbers_its_events_in_order_with_one_statement(django_assert_num_queries):
    one, two = a_topic(), a_topic()
    with django_assert_num_queries(3) as queries, unit_of_work():
        for n in range(3):
            publish(one, Noted(f"one {n}"))
            publish(two, Noted(f"two {n}"))
    assert queries.captured_queries[0]["sql"] == "BEGIN"
    assert texts(one) == ["one 0", "one 1", "one 2"]
    assert texts(two) == ["two 0", "two 1", "two 2"]
    assert numbers(one) == [1, 2, 3]
    assert events.heads([one, two, "test.none"]) == {one: 3, two: 3, "test.none": 0}


def test_nothing_is_written_before_the_outermost_exit():
    topic = a_topic()

    @unit_of_work
    def inner() -> None:
        publish(topic, Noted("inner"))

    with unit_of_work():
        inner()
        assert not LiveTopic.objects.filter(name=topic).exists()
    assert texts(topic) == ["inner"]


def test_a_unit_that_fails_leaves_neither_events_nor_nudges(monkeypatch):
    sent: list[str] = []
    monkeypatch.setattr(nudge, "event", lambda topic, seq, frame: sent.append(topic))
    topic = a_topic()

    @unit_of_work
    def fails() -> None:
        publish(topic, Noted("never"))
        raise Undone

    with pytest.raises(Undone):
        fails()
    assert events.head(topic) == 0
    with unit_of_work():
        publish(topic, Noted("first"))
    assert texts(topic) == ["first"]
    assert sent == [topic]


@pytest.mark.parametrize("savepoint", [unit_of_work, transaction.atomic])
def test_rolling_back_a_savepoint_drops_what_was_published_inside(savepoint):
    topic = a_topic()
    with unit_of_work():
        publish(topic, Noted("before"))
        with suppress(Undone), savepoint():
            publish(topic, Noted("inside"))
            raise Undone
        publish(topic, Noted("after"))
    assert texts(topic) == ["before", "after"]
    assert numbers(topic) == [1, 2]


def test_the_nudge_leaves_after_the_commit_and_carries_the_whole_frame(monkeypatch):
    sent = []

    def seen_by_others(topic: str, seq: int, frame: str) -> None:
        assert not connection.in_atomic_block
        sent.append((topic, seq, frame))

    monkeypatch.setattr(nudge, "event", seen_by_others)
    topic = a_topic()
    with unit_of_work():
        publish(topic, Noted("naïve 你好 \x00"))
    [(name, seq, frame)] = sent
    assert (name, seq) == (topic, 1)
    assert frame.startswith('{"op":"event"')
    assert '"type":"test.noted","version":1' in frame
    assert texts(topic) == ["naïve 你好 \x00"]


def test_on_commit_survives_what_it_calls():
    ran = []
    with unit_of_work():
        on_commit(lambda: ran.append("one"))
        assert ran == []
    assert ran == ["one"]


def test_an_event_that_cannot_be_written_as_json_fails_where_it_is_published():
    @dataclass(frozen=True)
    class Odd(Event):
        type: ClassVar[str] = "test.odd"
        what: object

    with pytest.raises(TypeError), unit_of_work():
        publish(a_topic(), Odd(object()))


def test_numbers_have_no_gap_under_eight_writers_with_rollbacks_and_opposite_orders():
    topics = [a_topic() for _ in range(4)]
    failures: list[BaseException] = []
    wrote: list[int] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(60):
                order = topics if seed % 2 else topics[::-1]
                try:
                    with unit_of_work():
                        for topic in order:
                            publish(topic, Noted(str(seed)))
                        if chance.random() < 0.3:
                            raise Undone
                except Undone:
                    continue
                wrote.append(seed)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert 0 < len(wrote) < 8 * 60
    for topic in topics:
        assert numbers(topic) == list(range(1, len(wrote) + 1))
        times = list(LiveEvent.objects.filter(topic=topic).order_by("seq").values_list("at", flat=True))
        assert times == sorted(times)
