"""How fast a channel may send: a bucket of tokens per channel, and until when its provider asked us to wait.

A token is a second of the channel's capacity, so that messages of different cost share one bucket. Whoever finds it
empty takes its turn on credit and comes back when it is due: nobody asks twice, and who came first goes first.
"""

import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from inbox.models import ChannelPace, Message
from jobs.errors import RetryLater

BURST = 1.0  # seconds of capacity that may be spent at once
# So short a wait is not worth another round through the queue, which looks once a second.
SHORTEST_WAIT = 0.25  # seconds
# Those who were held come back one after the other, not in one instant.
SPREAD = 0.05  # seconds

_TAKE = """
INSERT INTO inbox_channelpace AS pace (channel_id, tokens, filled_at)
VALUES (%(channel)s, %(burst)s - %(cost)s, clock_timestamp())
ON CONFLICT (channel_id) DO UPDATE SET
    tokens = least(%(burst)s,
        pace.tokens + greatest(0, extract(epoch FROM clock_timestamp() - pace.filled_at))) - %(cost)s,
    filled_at = greatest(pace.filled_at, clock_timestamp())
WHERE pace.held_until IS NULL OR pace.held_until <= clock_timestamp()
RETURNING tokens
"""
_HOLD = """
INSERT INTO inbox_channelpace AS pace (channel_id, tokens, filled_at, held_until)
VALUES (%(channel)s, 0, clock_timestamp(), clock_timestamp() + %(wait)s * interval '1 s')
ON CONFLICT (channel_id) DO UPDATE SET held_until = greatest(pace.held_until, excluded.held_until)
"""


def wait_turn(*, message_id: UUID, channel_id: UUID, send_after: datetime | None, rate: float) -> None:
    """Returns when this message may go now; else RetryLater, which costs no attempt."""
    if send_after is None:
        wait = _take(channel_id, cost=1 / rate)
        if wait > SHORTEST_WAIT:
            Message.objects.filter(pk=message_id).update(send_after=timezone.now() + timedelta(seconds=wait))
    else:
        wait = (send_after - timezone.now()).total_seconds()
    held = _held_for(channel_id) if send_after is not None or wait < 0 else 0.0
    if held > 0:
        # What was taken on credit before is no turn in the time after.
        Message.objects.filter(pk=message_id).update(send_after=None)
        raise RetryLater("the provider asked this channel to wait", after=held + SPREAD)
    if wait > SHORTEST_WAIT:
        raise RetryLater("waiting for the channel's turn", after=wait)
    time.sleep(max(0.0, wait))


def hold(channel_id: UUID, seconds: float) -> None:
    """The provider has asked for a pause: nothing leaves this channel until then. Other channels go on."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, {"channel": channel_id, "wait": seconds})


def _take(channel_id: UUID, *, cost: float) -> float:
    """Seconds until its turn; below zero when the channel is held."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"channel": channel_id, "cost": cost, "burst": max(BURST, cost)})
        row = cursor.fetchone()
    return max(0.0, -float(row[0])) if row else -1.0


def _held_for(channel_id: UUID) -> float:
    held_until = ChannelPace.objects.filter(pk=channel_id).values_list("held_until", flat=True).first()
    return (held_until - timezone.now()).total_seconds() if held_until else 0.0
