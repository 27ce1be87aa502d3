"""The states a delivery leaves behind, each move in a transaction of its own and only for the attempt it belongs to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from config.live.unit import unit_of_work
from inbox.clients.outgoing import Client, Kind, Outgoing, Template
from inbox.models import Channel, Conversation, Message, MessageTemplate
from inbox.opt_outs import is_opted_out
from inbox.senders import client_for
from inbox.services.outbox.receipts import apply_receipt, receipts_of
from inbox.services.outbox.rows import locked, move, serialise
from inbox.states import MessageStatus, can_climb
from jobs.errors import ProviderError

UNSETTLED = frozenset({MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN})
KINDS = {"text": Kind.TEXT, "template": Kind.TEMPLATE, "reaction": Kind.REACTION}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call to the provider needs, read before it: no transaction is open during the call."""

    message_id: UUID
    channel_id: UUID
    attempt: int
    client: Client
    outgoing: Outgoing  # without its files, which are made ready outside of any transaction
    since: datetime  # when the first call of this attempt began
    may_be_sent: bool  # an earlier call may have reached the provider


@unit_of_work
def begin(*, message_id: UUID, attempt: int) -> Plan | None:
    """Claims the message for a call. None when there is nothing left to do for this attempt."""
    message, conversation = locked(message_id)
    if message.send_attempt != attempt or message.status not in UNSETTLED:
        return None
    may_be_sent = message.status != MessageStatus.QUEUED
    if not may_be_sent:
        _start_call(message, conversation)
    return _plan(message, conversation, may_be_sent=may_be_sent)


@unit_of_work
def note_absent(*, message_id: UUID, attempt: int) -> None:
    """The look-up proved that the earlier call never arrived: it may go as if there had been none. Not announced, for
    the call that follows announces itself."""
    message, _ = locked(message_id)
    if message.send_attempt == attempt and message.status in {MessageStatus.SENDING, MessageStatus.UNKNOWN}:
        message.status = MessageStatus.QUEUED
        message.save(update_fields=["status", "updated_at"])


def _start_call(message: Message, conversation: Conversation) -> None:
    """What has changed since it was queued is refused here as it would have been then."""
    if is_opted_out(conversation):
        raise ProviderError(
            "The person has opted out of messages from this number by answering STOP.",
            permanent=True,
            code="opted_out",
        )
    if message.type != "template" and not conversation.window.open:
        raise ProviderError(
            "The 24-hour window closed before this could be sent. Only a template can be sent now.",
            permanent=True,
            code="window_closed",
        )
    if message.type == "template" and _template_row(message) is None:
        raise ProviderError("The template is no longer there. Choose another.", permanent=True, code="no_template")
    message.sending_since = timezone.now()
    move(message, MessageStatus.SENDING, conversation)


def _plan(message: Message, conversation: Conversation, *, may_be_sent: bool) -> Plan:
    channel = Channel.objects.get(pk=conversation.channel_id)
    return Plan(
        message_id=message.pk,
        channel_id=channel.pk,
        attempt=message.send_attempt,
        client=client_for(channel),
        outgoing=_outgoing(message, conversation),
        since=message.sending_since or message.created_at,
        may_be_sent=may_be_sent,
    )


def _outgoing(message: Message, conversation: Conversation) -> Outgoing:
    kind = KINDS.get(message.type, Kind.MEDIA)
    return Outgoing(
        kind=kind,
        to=conversation.peer_address or conversation.contact.phone_normalized,
        callback_data=str(message.pk),
        body=message.body,
        template=_template(message) if kind == Kind.TEMPLATE else None,
        reply_to=message.reply_to.provider_id if message.reply_to else "",
    )


def _template(message: Message) -> Template:
    given = message.detail.get("template", {})
    found = _template_row(message)
    return Template(
        name=given.get("name", ""),
        language=given.get("language", ""),
        provider_id=found.provider_id if found else "",
        variables=found.variables if found else (),
        values=given.get("values", {}),
    )


def _template_row(message: Message) -> MessageTemplate | None:
    given = message.detail.get("template", {})
    return MessageTemplate.objects.filter(
        channel_id=message.channel_id, name=given.get("name"), language=given.get("language")
    ).first()


@unit_of_work
def note_unknown(*, message_id: UUID, attempt: int) -> None:
    message, conversation = locked(message_id)
    if message.send_attempt == attempt and message.status == MessageStatus.SENDING:
        move(message, MessageStatus.UNKNOWN, conversation)


@unit_of_work
def note_not_sent(*, message_id: UUID, attempt: int) -> None:
    """The provider surely does not have it: the next run may simply send."""
    message, conversation = locked(message_id)
    if message.send_attempt == attempt and message.status == MessageStatus.SENDING:
        message.send_after = None
        move(message, MessageStatus.QUEUED, conversation)


@unit_of_work
def mark_accepted(*, message_id: UUID, attempt: int, provider_id: str) -> None:
    """The provider took it under this id. What it said of that id before we knew it counts now."""
    channel_id = Message.objects.values_list("channel_id", flat=True).get(pk=message_id)
    serialise(channel_id, provider_id)  # before the rows, as a receipt does
    message, conversation = locked(message_id)
    if message.send_attempt != attempt or message.provider_id:
        return
    message.provider_id = provider_id
    message.save(update_fields=["provider_id"])
    if can_climb(message.status, MessageStatus.SENT):
        message.sent_at = timezone.now()
        move(message, MessageStatus.SENT, conversation)
    for receipt in receipts_of(message.channel_id, provider_id):
        apply_receipt(message, conversation, receipt)


@unit_of_work
def mark_failed(*, message_id: UUID, attempt: int, code: str, reason: str) -> None:
    """The last attempt is over. What may have arrived stays unknown, and says so; the rest failed."""
    message, conversation = locked(message_id)
    if message.send_attempt != attempt or message.provider_id:
        return
    message.error_code, message.error_message = code[:60], reason[:500]
    if message.status in {MessageStatus.SENDING, MessageStatus.UNKNOWN}:
        move(message, MessageStatus.UNKNOWN, conversation)
    elif can_climb(message.status, MessageStatus.FAILED):
        message.failed_at = timezone.now()
        move(message, MessageStatus.FAILED, conversation)
