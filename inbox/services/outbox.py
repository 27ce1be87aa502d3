"""The way out: from queued to what the provider says. What may have arrived is looked up, never sent again blindly."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from config.live.unit import unit_of_work
from inbox.clients import kapso
from inbox.events import announce_conversation, announce_message
from inbox.models import Conversation, Message, MessageReceipt
from inbox.queries import with_lines
from inbox.states import RANK, Direction, MessageStatus, can_climb
from jobs.errors import ProviderError, RetryLater
from jobs.queue import enqueue
from jobs.tasks import RunningJob

# How long after the call a provider's list is taken as complete: absent by then means never accepted.
SETTLED = timedelta(seconds=15)
LOOK_AGAIN = 3.0  # seconds
TWICE_SAID = timedelta(days=1)  # how far back the same words may be another message's


def enqueue_delivery(conversation: Conversation, message: Message) -> None:
    """One job per message and attempt, in the lane of its person and channel."""
    enqueue(
        "inbox.deliver_message",
        key=f"send:{message.pk}:{message.send_attempt}",
        lane=conversation.lane,
        workspace_id=message.workspace_id,
        payload={"message_id": str(message.pk), "attempt": message.send_attempt},
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call to the provider needs, read before it: no transaction is open during the call."""

    message_id: UUID
    channel_id: UUID
    attempt: int
    api_key: str
    phone_number_id: str
    to: str
    body: str
    reply_to: str
    since: datetime  # when the first call of this attempt began
    may_be_sent: bool  # an earlier call may have reached the provider


def deliver(*, job: RunningJob, message_id: UUID, attempt: int) -> None:
    """May run twice: the second run finds the message sent, or looks up what the first one did."""
    plan = begin(message_id=message_id, attempt=attempt)
    if plan is None:
        return
    accepted = _look_up(plan) if plan.may_be_sent else None
    if accepted is None:
        if plan.may_be_sent:
            plan = begin_again(message_id=message_id, attempt=attempt)
        accepted = _send(plan)
    with job.completing(result={"provider_id": accepted.provider_id}):
        mark_accepted(message_id=message_id, attempt=attempt, provider_id=accepted.provider_id)


@unit_of_work
def begin(*, message_id: UUID, attempt: int) -> Plan | None:
    """Claims the message for a call. None when there is nothing left to do for this attempt."""
    message, conversation = _locked(message_id)
    if message.send_attempt != attempt or message.status not in {
        MessageStatus.QUEUED,
        MessageStatus.SENDING,
        MessageStatus.UNKNOWN,
    }:
        return None
    may_be_sent = message.status != MessageStatus.QUEUED
    if not may_be_sent:
        _start_call(message, conversation)
    return _plan(message, conversation, may_be_sent=may_be_sent)


@unit_of_work
def begin_again(*, message_id: UUID, attempt: int) -> Plan:
    """The look-up proved that the earlier call never arrived."""
    message, conversation = _locked(message_id)
    if message.send_attempt != attempt or message.status not in {MessageStatus.SENDING, MessageStatus.UNKNOWN}:
        raise RetryLater("the message changed meanwhile", after=0)
    _start_call(message, conversation)
    return _plan(message, conversation, may_be_sent=False)


def _start_call(message: Message, conversation: Conversation) -> None:
    message.sending_since = timezone.now()
    _move(message, MessageStatus.SENDING, conversation)


def _plan(message: Message, conversation: Conversation, *, may_be_sent: bool) -> Plan:
    channel = conversation.channel
    reply_to = message.reply_to.provider_id if message.reply_to else ""
    return Plan(
        message_id=message.pk,
        channel_id=channel.pk,
        attempt=message.send_attempt,
        api_key=channel.credentials.get("api_key", ""),
        phone_number_id=channel.identifier,
        to=conversation.peer_address or conversation.contact.phone_normalized,
        body=message.body,
        reply_to=reply_to,
        since=message.sending_since or message.created_at,
        may_be_sent=may_be_sent,
    )


def _look_up(plan: Plan) -> kapso.Accepted | None:
    """What the provider has of it. Raises RetryLater while its list may still be catching up."""
    try:
        found = kapso.find_sent(
            api_key=plan.api_key,
            phone_number_id=plan.phone_number_id,
            to=plan.to,
            since=plan.since,
            callback_data=str(plan.message_id),
            body=plan.body,
            known=_known_to_us(plan),
        )
    except ProviderError as error:
        note_unknown(message_id=plan.message_id, attempt=plan.attempt)
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
        channel_id=plan.channel_id, direction=Direction.OUT, body=plan.body, created_at__gt=plan.since - TWICE_SAID
    )
    return list(rows.exclude(provider_id="").values_list("provider_id", flat=True))


def _send(plan: Plan) -> kapso.Accepted:
    try:
        return kapso.send_text(
            api_key=plan.api_key,
            phone_number_id=plan.phone_number_id,
            to=plan.to,
            body=plan.body,
            reply_to=plan.reply_to or None,
            callback_data=str(plan.message_id),
        )
    except ProviderError as error:
        if error.maybe_sent:
            note_unknown(message_id=plan.message_id, attempt=plan.attempt)
            raise RetryLater(
                "the call broke off: asking the provider whether it arrived", after=LOOK_AGAIN, frees_lane=True
            ) from error
        note_not_sent(message_id=plan.message_id, attempt=plan.attempt)
        raise


@unit_of_work
def note_unknown(*, message_id: UUID, attempt: int) -> None:
    message, conversation = _locked(message_id)
    if message.send_attempt == attempt and message.status == MessageStatus.SENDING:
        _move(message, MessageStatus.UNKNOWN, conversation)


@unit_of_work
def note_not_sent(*, message_id: UUID, attempt: int) -> None:
    """The provider surely does not have it: the next run may simply send."""
    message, conversation = _locked(message_id)
    if message.send_attempt == attempt and message.status == MessageStatus.SENDING:
        _move(message, MessageStatus.QUEUED, conversation)


@unit_of_work
def mark_accepted(*, message_id: UUID, attempt: int, provider_id: str) -> None:
    """The provider took it under this id. What it said of that id before we knew it counts now."""
    channel_id = Message.objects.values_list("channel_id", flat=True).get(pk=message_id)
    _serialise(channel_id, provider_id)  # before the rows, as a receipt does
    message, conversation = _locked(message_id)
    if message.send_attempt != attempt or message.provider_id:
        return
    message.provider_id = provider_id
    message.save(update_fields=["provider_id"])
    if can_climb(message.status, MessageStatus.SENT):
        message.sent_at = timezone.now()
        _move(message, MessageStatus.SENT, conversation)
    for receipt in _receipts(message.channel_id, provider_id):
        apply_receipt(message, conversation, receipt)


@unit_of_work
def mark_failed(*, message_id: UUID, attempt: int, code: str, reason: str) -> None:
    """The last attempt is over. What may have arrived stays unknown, and says so; the rest failed."""
    message, conversation = _locked(message_id)
    if message.send_attempt != attempt or message.provider_id:
        return
    message.error_code, message.error_message = code[:60], reason[:500]
    if message.status in {MessageStatus.SENDING, MessageStatus.UNKNOWN}:
        _move(message, MessageStatus.UNKNOWN, conversation)
    elif can_climb(message.status, MessageStatus.FAILED):
        message.failed_at = timezone.now()
        _move(message, MessageStatus.FAILED, conversation)


# --- What the provider says afterwards ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    provider_id: str
    status: MessageStatus  # sent, delivered, read or failed
    at: datetime
    error_code: str = ""
    error_message: str = ""
    callback_data: str = ""  # our message's id, where the provider hands it back


@unit_of_work
def record_receipt(*, workspace_id: UUID, channel_id: UUID, receipt: Receipt) -> bool:
    """Keeps it, and climbs the ladder if the message is known by now. False when it was recorded before."""
    _serialise(channel_id, receipt.provider_id)
    row = MessageReceipt(
        workspace_id=workspace_id,
        channel_id=channel_id,
        provider_id=receipt.provider_id,
        status=receipt.status,
        at=receipt.at,
        error_code=receipt.error_code[:60],
        error_message=receipt.error_message[:500],
    )
    if MessageReceipt.objects.filter(
        channel_id=channel_id, provider_id=receipt.provider_id, status=receipt.status
    ).exists():
        return False
    row.save()
    message_id = _message_of(workspace_id, channel_id, receipt)
    if message_id is not None:
        _climb(message_id, receipt)
    return True


def _message_of(workspace_id: UUID, channel_id: UUID, receipt: Receipt) -> UUID | None:
    found = (
        Message.objects.filter(channel_id=channel_id, provider_id=receipt.provider_id, direction=Direction.OUT)
        .values_list("pk", flat=True)
        .first()
    )
    if found or not receipt.callback_data:
        return found
    try:
        message_id = UUID(receipt.callback_data)
    except ValueError:
        return None
    # A call that broke off: the provider itself tells that it arrived, and under which id.
    return (
        Message.objects.filter(
            pk=message_id,
            workspace_id=workspace_id,
            channel_id=channel_id,
            provider_id="",
            status__in=[MessageStatus.SENDING, MessageStatus.UNKNOWN],
        )
        .values_list("pk", flat=True)
        .first()
    )


def _climb(message_id: UUID, receipt: Receipt) -> None:
    message, conversation = _locked(message_id)
    if not message.provider_id:
        message.provider_id = receipt.provider_id
        message.error_code = message.error_message = ""
        message.save(update_fields=["provider_id", "error_code", "error_message"])
    for row in _receipts(message.channel_id, message.provider_id):
        apply_receipt(message, conversation, row)


def _receipts(channel_id: UUID, provider_id: str) -> list[MessageReceipt]:
    rows = MessageReceipt.objects.filter(channel_id=channel_id, provider_id=provider_id)
    return sorted(rows, key=lambda row: RANK[MessageStatus(row.status)])


def apply_receipt(message: Message, conversation: Conversation, receipt: MessageReceipt) -> None:
    """Only ever up the ladder; the time of each rung is the provider's own."""
    stamp = f"{receipt.status}_at"
    if receipt.status == MessageStatus.FAILED and not can_climb(message.status, MessageStatus.FAILED):
        return
    if getattr(message, stamp) is None or receipt.status == MessageStatus.SENT:
        setattr(message, stamp, receipt.at)
        message.save(update_fields=[stamp])
    if can_climb(message.status, receipt.status):
        failed = receipt.status == MessageStatus.FAILED
        message.error_code = receipt.error_code if failed else ""
        message.error_message = receipt.error_message if failed else ""
        _move(message, MessageStatus(receipt.status), conversation)


def _move(message: Message, status: MessageStatus, conversation: Conversation) -> None:
    message.status = status
    message.save()
    announce_message(message, conversation)
    if conversation.last_message_id == message.pk:
        conversation.last_message = message
        announce_conversation(conversation)


def _locked(message_id: UUID) -> tuple[Message, Conversation]:
    """Conversation first, then message: every service locks in this order."""
    conversation_id = Message.objects.values_list("conversation_id", flat=True).get(pk=message_id)
    conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
    conversation = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=conversation.pk)
    message = (
        Message.objects.select_for_update(of=("self",)).select_related("reply_to", "sender_user").get(pk=message_id)
    )
    return message, conversation


def _serialise(channel_id: UUID, provider_id: str) -> None:
    """A receipt may come before we know the id it speaks of: whoever is second sees what the first one wrote."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{channel_id}:{provider_id}"])
