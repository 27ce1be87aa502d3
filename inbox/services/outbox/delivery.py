"""One run of the job that sends a message. May run twice: the second finds it sent, or looks up what the first did."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from inbox.clients.outgoing import Accepted, Kind, Media, Throttle
from inbox.models import Message
from inbox.senders import client_for, limits_of, rate_of
from inbox.services.outbox import media, pace
from inbox.services.outbox.marks import (
    KINDS,
    UNSETTLED,
    Plan,
    begin,
    mark_accepted,
    note_absent,
    note_not_sent,
    note_unknown,
)
from inbox.services.outbox.refusals import OPTED_OUT, record_opt_out
from inbox.states import Direction, MessageStatus
from jobs.errors import ProviderError, RetryLater
from jobs.running import RunningJob

# How long after the call a provider's list is taken as complete: absent by then means never accepted.
SETTLED = timedelta(seconds=15)
LOOK_AGAIN = 3.0  # seconds
TWICE_SAID = timedelta(days=1)  # how far back the same words may be another message's
# "Too fast" costs no attempt, but a channel that is throttled for so long is broken, and people should hear of it.
PATIENCE = timedelta(days=1)
DEFAULT_PAUSE = 2.0  # seconds
LONGEST_PAIR_PAUSE = 600.0  # seconds


def deliver(*, job: RunningJob, message_id: UUID, attempt: int) -> None:
    known = _peek(message_id, attempt)
    if known is None:
        return
    accepted = None
    if known.status != MessageStatus.QUEUED:
        plan = begin(message_id=message_id, attempt=attempt)
        if plan is None:
            return
        accepted = _look_up(plan)
        if accepted is None:
            note_absent(message_id=message_id, attempt=attempt)
    if accepted is None:
        accepted = _send_in_turn(job, known, attempt)
    if accepted is None:
        return
    with job.completing(result={"provider_id": accepted.provider_id}):
        mark_accepted(message_id=message_id, attempt=attempt, provider_id=accepted.provider_id)


def _peek(message_id: UUID, attempt: int) -> Message | None:
    """The message with its conversation and channel, unlocked; None when there is nothing left to do."""
    message = Message.objects.select_related("conversation", "channel").filter(pk=message_id).first()
    if message is None:
        return None  # erased with its contact
    return message if message.send_attempt == attempt and message.status in UNSETTLED else None


def _send_in_turn(job: RunningJob, message: Message, attempt: int) -> Accepted | None:
    """Waiting and uploading come before the message is claimed: only a call that may have its effect is a look-up."""
    channel = message.channel
    limits = limits_of(channel.kind, message.conversation.peer_address)
    pace.wait_turn(
        message_id=message.pk, channel_id=channel.pk, send_after=message.send_after, rate=rate_of(channel, limits)
    )
    files: tuple[Media, ...] = ()
    if KINDS.get(message.type, Kind.MEDIA) == Kind.MEDIA:
        files = media.ready(client_for(channel), message.pk, message.type)
    plan = begin(message_id=message.pk, attempt=attempt)
    if plan is None:
        return None
    if plan.may_be_sent:
        raise RetryLater("the message changed meanwhile", after=0)
    return _send(job, replace(plan, outgoing=replace(plan.outgoing, media=files)))


def _look_up(plan: Plan) -> Accepted | None:
    """What the provider has of it. Raises RetryLater while its list may still be catching up."""
    outgoing = replace(plan.outgoing, media=media.known(plan.message_id, plan.outgoing))
    try:
        found = plan.client.find_sent(outgoing, since=plan.since, known=_known_to_us(plan))
    except ProviderError as error:
        note_unknown(message_id=plan.message_id, attempt=plan.attempt)
        _wait_if_throttled(plan, error, frees_lane=True)
        # Asking has no effect over there: however the question failed, it may be asked again.
        raise ProviderError(
            error.message, permanent=error.permanent, code=error.code, retry_after=error.retry_after
        ) from error
    if found is None and timezone.now() - plan.since < SETTLED:
        note_unknown(message_id=plan.message_id, attempt=plan.attempt)
        raise RetryLater("asking the provider whether it arrived", after=LOOK_AGAIN, frees_lane=True)
    return found


def _known_to_us(plan: Plan) -> list[str]:
    """Ids of what else we sent: a provider that does not hand our id back may list the same words twice."""
    rows = Message.objects.filter(
        channel_id=plan.channel_id,
        direction=Direction.OUT,
        body=plan.outgoing.body,
        created_at__gt=plan.since - TWICE_SAID,
    )
    return list(rows.exclude(provider_id="").values_list("provider_id", flat=True))


def _send(job: RunningJob, plan: Plan) -> Accepted:
    try:
        return plan.client.send(plan.outgoing)
    except ProviderError as error:
        if error.maybe_sent:
            note_unknown(message_id=plan.message_id, attempt=plan.attempt)
            raise RetryLater(
                "the call broke off: asking the provider whether it arrived", after=LOOK_AGAIN, frees_lane=True
            ) from error
        note_not_sent(message_id=plan.message_id, attempt=plan.attempt)
        if error.code in OPTED_OUT:
            record_opt_out(plan)
        _wait_if_throttled(plan, error)
        if plan.client.throttle_of(error.code) == Throttle.PERSON:
            # WhatsApp wants 4, 16, 64 … seconds between tries at one person. Nobody else waits for that.
            wait = max(error.retry_after or 0.0, min(4.0**job.attempt, LONGEST_PAIR_PAUSE))
            raise ProviderError(error.message, permanent=False, code=error.code, retry_after=wait) from error
        raise


def _wait_if_throttled(plan: Plan, error: ProviderError, *, frees_lane: bool = False) -> None:
    """The provider has too much of this channel: all of it waits, and no message pays for that with an attempt."""
    if plan.client.throttle_of(error.code) != Throttle.CHANNEL:
        return
    pause = error.retry_after if error.retry_after is not None else DEFAULT_PAUSE
    pace.hold(plan.channel_id, pause)
    if timezone.now() - _queued_at(plan) < PATIENCE:
        raise RetryLater(error.message, after=pause, frees_lane=frees_lane) from error


def _queued_at(plan: Plan) -> datetime:
    return Message.objects.values_list("created_at", flat=True).get(pk=plan.message_id)
