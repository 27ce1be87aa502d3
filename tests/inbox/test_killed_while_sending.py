"""A worker dies after the provider took the message and before we committed that, again and again: none goes twice."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from inbox.models import Channel, Conversation, Message
from inbox.services.messages import send_message
from inbox.services.outbox import delivery
from inbox.states import ChannelKind, MessageStatus
from jobs import engine
from jobs.models import Job
from tests.cast import Cast, make_channel, receive, sender
from tests.inbox.providers import Providers, providers
from tests.jobs_at_hand import hold
from tests.repeats import times

MESSAGES = times(2, 50)
PEOPLE = 4
WORDS = ("Ya", "Sí, claro")  # the same words to the same person again and again: the hardest to tell apart in a list
NOTED, NOT_NOTED = "before the commit", "before anything is noted"


class Killed(BaseException):
    """Nothing of the product's catches it, as nothing of it runs after a SIGKILL."""


@pytest.fixture
def world(settings: Any) -> Iterator[Providers]:
    with providers(settings) as made:
        yield made


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """When the next runs die, in order; none when it is used up."""
    todo: list[str] = []
    real = delivery.mark_accepted

    def mark_accepted(**given: Any) -> None:
        death = todo.pop(0) if todo else ""
        if death != NOT_NOTED:
            real(**given)
        if death:
            raise Killed

    monkeypatch.setattr(delivery, "mark_accepted", mark_accepted)
    return todo


@pytest.mark.repeats
@pytest.mark.parametrize("kind", [ChannelKind.KAPSO, ChannelKind.TWILIO])
@pytest.mark.parametrize(
    "when",
    [[NOT_NOTED], [NOTED], [NOTED, NOT_NOTED]],
    ids=["before-noting", "before-the-commit", "and-the-look-up-too"],
)
def test_what_was_taken_is_looked_up_and_never_sent_twice(cast, world, deaths, kind, when):
    talks = [_talk(cast, channel) for channel in [_channel(cast, kind)] for _ in range(PEOPLE)]
    sent = []
    for number in range(MESSAGES):
        message, _ = send_message(
            actor=cast.actor(cast.ben),
            conversation_id=talks[number // 2 % PEOPLE].pk,
            client_id=uuid4(),
            body=WORDS[number // (2 * PEOPLE) % len(WORDS)],
        )
        job_id = Job.objects.get(key=f"send:{message.pk}:0").pk
        deaths[:] = when
        for dead in range(len(when)):
            with pytest.raises(Killed):
                engine.run(hold(job_id, died=bool(dead)))
            message.refresh_from_db()
            assert (message.status, message.provider_id) == (MessageStatus.SENDING, "")
        engine.run(hold(job_id, died=True))
        message.refresh_from_db()
        sent.append(message)

    assert {message.status for message in sent} == {MessageStatus.SENT}
    # Each under the id of its own call, though the list holds the same words to the same person many times.
    assert [message.provider_id for message in sent] == [one["sid"] for one in world.accepted]
    assert Counter(_words(world)) == Counter(message.body for message in sent)
    assert (world.calls, world.lists) == (MESSAGES, MESSAGES * len(when))
    assert set(Job.objects.filter(key__in=_keys(sent)).values_list("status", flat=True)) == {"completed"}


def _words(world: Providers) -> list[str]:
    return [one.get("Body") or one["text"]["body"] for one in world.accepted]


def _keys(messages: list[Message]) -> list[str]:
    return [f"send:{message.pk}:0" for message in messages]


def _channel(cast: Cast, kind: ChannelKind) -> Channel:
    channel = cast.channel
    if kind == ChannelKind.TWILIO:
        channel = make_channel(cast.workspace, kind)
        channel.identifier, channel.phone = "AC00000000000000000000000000000001", "+15550100002"
        channel.credentials = {"auth_tokens": ["a-token"]}
    channel.settings = {"rate": 500}
    channel.save()
    return channel


def _talk(cast: Cast, channel: Channel) -> Conversation:
    who = sender()
    return receive(cast, channel=channel, who=who, peer_address=f"+{who.whatsapp}")
