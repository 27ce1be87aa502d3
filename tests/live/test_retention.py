"""What the event log forgets, and how a reader from before finds out."""

from datetime import timedelta
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from config.live import events, retention
from config.live.models import LiveEvent
from config.live.unit import unit_of_work
from tests.live.test_publishing import Noted, a_topic, numbers


def written(count: int, topic: str = "") -> str:
    topic = topic or a_topic()
    with unit_of_work():
        for n in range(count):
            events.publish(topic, Noted(str(n)))
    return topic


def age(topic: str, seq: int, **by: int) -> None:
    LiveEvent.objects.filter(topic=topic, seq=seq).update(at=timezone.now() - timedelta(**by))


def test_a_day_is_kept_and_no_number_is_given_twice():
    topic = written(5)
    for seq in (1, 2, 3):
        age(topic, seq, hours=25)
    age(topic, 4, hours=23)
    assert retention.prune() >= 3
    assert numbers(topic) == [4, 5]
    for seq in (4, 5):
        age(topic, seq, days=2)
    retention.prune()
    assert numbers(topic) == []
    assert events.head(topic) == 5


def test_no_hole_is_made_when_times_are_out_of_order():
    topic = written(4)
    age(topic, 3, days=2)
    retention.prune()
    assert numbers(topic) == [4]


def test_so_many_are_kept_for_each_topic(monkeypatch):
    monkeypatch.setattr(retention, "KEPT_PER_TOPIC", 10)
    monkeypatch.setattr(retention, "BATCH", 7)
    topic, short = written(40), written(5)
    retention.prune()
    assert numbers(topic) == list(range(31, 41))
    assert numbers(short) == [1, 2, 3, 4, 5]


def test_a_workspaces_feed_is_kept_for_a_month(monkeypatch):
    monkeypatch.setattr(retention, "KEPT_PER_TOPIC", 3)
    topic = written(6, f"workspace.{uuid4()}")
    age(topic, 1, days=31)
    age(topic, 2, days=29)
    retention.prune()
    assert numbers(topic) == [2, 3, 4, 5, 6]


def test_no_foreign_key_points_at_the_log():
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_constraint where contype = 'f' and (conrelid::regclass::text like 'live_%' "
            "or confrelid::regclass::text like 'live_%')"
        )
        assert cursor.fetchone() == (0,)
