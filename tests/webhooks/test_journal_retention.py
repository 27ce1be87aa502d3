"""What leaves the journal with time, and what does not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import Job
from tests.cast import make_cast
from tests.webhooks.outbox_scene import keep, make_job
from webhooks.models import Delivery
from webhooks.services import retention


@pytest.fixture
def old():
    """`old(40, "applied")`: a delivery of so many days ago; with the states of its items' jobs."""
    cast = make_cast()

    def make(days: int, state: str, *statuses: str) -> Delivery:
        jobs = [make_job(cast, status) for status in statuses]
        delivery = keep(cast, b"{}", state=state, outcome={"items": [job.key for job in jobs]} if jobs else {})
        Delivery.objects.filter(pk=delivery.pk).update(received_at=timezone.now() - timedelta(days=days))
        return delivery

    return make


def left(*deliveries: Delivery) -> list[bool]:
    retention.prune_journal()
    there = set(Delivery.objects.filter(pk__in=[one.pk for one in deliveries]).values_list("pk", flat=True))
    return [one.pk in there for one in deliveries]


def test_what_worked_goes_after_thirty_days(old):
    assert left(old(29, "applied"), old(31, "applied"), old(31, "applied", "completed")) == [True, False, False]


def test_trouble_stays_for_ninety(old):
    states = ("failed", "unhandled")
    assert left(*(old(89, state) for state in states), old(89, "applied", "failed")) == [True, True, True]
    assert left(*(old(91, state) for state in states), old(91, "applied", "failed")) == [False, False, False]


def test_what_is_not_unpacked_or_has_an_item_at_work_never_goes(old):
    assert left(old(400, "kept"), old(400, "applied", "completed", "pending")) == [True, True]


def test_it_goes_once_its_items_have_ended(old):
    delivery = old(400, "applied", "pending")
    assert left(delivery) == [True]
    Job.objects.filter(key__in=delivery.outcome["items"]).update(status="completed", completed_at=timezone.now())
    assert left(delivery) == [False]


def test_it_works_in_batches_and_by_setting(old, monkeypatch, settings):
    monkeypatch.setattr(retention, "BATCH", 2)
    settings.JOURNAL_DAYS = 10
    assert left(*(old(11, "applied") for _ in range(5))) == [False] * 5
    settings.JOURNAL_TROUBLE_DAYS = 5  # never sooner than what worked
    assert left(old(9, "failed")) == [True]
