"""Many sends against providers that fail one in five in every way they can: none lost, none twice."""

import random
import time
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from inbox.models import Channel, Message
from inbox.services.messages import send_message
from inbox.services.outbox import delivery
from inbox.states import ChannelKind, MessageStatus
from jobs.engine import LANE_HELD
from jobs.models import Job, JobAttempt
from jobs.runner import Runner
from tests.cast import make_channel, receive, sender, unique
from tests.inbox.providers import REFUSED, TAKEN, providers
from tests.repeats import times

SENDS = times(70, 1000)
PEOPLE = 20  # of each channel
ONE_IN = 5
SECONDS = 60.0 + SENDS / 2  # at the most, on a busy machine


@pytest.fixture
def quick(monkeypatch):
    """A list is complete at once over here, and nobody needs seconds to look again."""
    monkeypatch.setattr(delivery, "SETTLED", timedelta(seconds=1.5))
    monkeypatch.setattr(delivery, "LOOK_AGAIN", 0.5)
    monkeypatch.setattr("jobs.engine.FIRST_BACKOFF_SECONDS", 0.2)
    monkeypatch.setattr("jobs.runner.LOOK_EVERY_SECONDS", 0.1)


@pytest.fixture
def only_mine():
    """What other tests have left in the queue is no business of this worker."""
    Job.objects.filter(status="pending").update(status="dismissed", completed_at=timezone.now())


@pytest.mark.repeats
def test_none_is_lost_and_none_is_sent_twice(cast, settings, quick, only_mine):
    channels = [cast.channel, _twilio(cast)]
    Channel.objects.filter(pk__in=[channel.pk for channel in channels]).update(settings={"rate": 500})
    actor = cast.actor(cast.ben)
    talks = [_talk(cast, channel) for channel in channels for _ in range(PEOPLE)]
    with providers(settings) as world:
        world.plan = _misfortunes(random.Random(7), SENDS)
        words = {}
        for number in range(SENDS):
            message, _ = send_message(
                actor=actor,
                conversation_id=talks[number % len(talks)].pk,
                client_id=uuid4(),
                body=unique(f"Message {number}"),
            )
            words[str(message.pk)] = message.body
        _work_until_settled(list(words))

        accepted = Counter(one.get("Body") or one["text"]["body"] for one in world.accepted)
    statuses = Counter(Message.objects.filter(pk__in=words).values_list("status", flat=True))
    assert accepted == Counter(words.values())
    assert statuses == {MessageStatus.SENT: SENDS}
    _check_order(talks, world.accepted)


def _twilio(cast) -> Channel:
    channel = make_channel(cast.workspace, ChannelKind.TWILIO)
    channel.identifier, channel.credentials = "AC00000000000000000000000000000001", {"auth_tokens": ["token"]}
    channel.save()
    return channel


def _talk(cast, channel):
    who = sender()
    return receive(cast, channel=channel, who=who, peer_address=f"+{who.whatsapp}")


def _misfortunes(rng: random.Random, sends: int) -> list[str]:
    """One in five, each kind as often as the others; the calls after a failure may fail again."""
    kinds = [*REFUSED, *TAKEN]
    return [rng.choice(kinds) if rng.randrange(ONE_IN) == 0 else "" for _ in range(sends * 2)]


def _work_until_settled(ids: list[str]) -> None:
    runner = Runner(quick=1)
    runner.start()
    deadline = time.monotonic() + SECONDS
    try:
        while (
            Message.objects.filter(pk__in=ids).exclude(status__in=[MessageStatus.SENT, MessageStatus.FAILED]).exists()
        ):
            assert time.monotonic() < deadline, Counter(
                Message.objects.filter(pk__in=ids).values_list("status", flat=True)
            )
            time.sleep(0.05)
    finally:
        assert runner.stop(20)


def _check_order(talks, accepted) -> None:
    """One person's messages are numbered in the order of writing, but for those that others had leave to pass."""
    place = {one["sid"]: number for number, one in enumerate(accepted)}
    for talk in talks:
        rows = Message.objects.filter(conversation=talk, direction="out").order_by("pk")
        places = [place[row.provider_id] for row in rows if not _may_be_passed(row)]
        assert places == sorted(places)


def _may_be_passed(message: Message) -> bool:
    """Its outcome was unknown for a while, or it has held up the others for a minute."""
    job = Job.objects.get(key=f"send:{message.pk}:0")
    tries = list(JobAttempt.objects.filter(job_id=job.pk).order_by("id"))
    if any("asking the provider whether it arrived" in one.error for one in tries):
        return True
    return bool(tries and job.completed_at and job.completed_at - tries[0].at > LANE_HELD)
