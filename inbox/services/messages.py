"""A member writes: a reply that goes out through the outbox, or a private note that stays."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from config.live.events import events_after
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Member
from crm.roles import Action
from inbox import topics
from inbox.access import conversation_for, is_retryable, message_for
from inbox.errors import (
    BodyTooLong,
    ChannelCannotSend,
    ClientIdReused,
    ConversationChanged,
    NotRetryable,
    WindowClosed,
)
from inbox.events import announce_conversation, announce_message
from inbox.models import Conversation, Message
from inbox.senders import BODY_LIMITS, NOTE_LIMIT, can_send
from inbox.services.outbox import enqueue_delivery
from inbox.states import Direction, MessageStatus, SenderKind


@unit_of_work
def send_message(
    *,
    actor: Member,
    conversation_id: UUID,
    client_id: UUID,
    body: str,
    note: bool = False,
    seen_seq: int | None = None,
    force: bool = False,
) -> tuple[Message, bool]:
    """The message, and whether this call made it. The same client_id again gives the same message.

    `seen_seq` is the newest number of the conversation's topic that the writer has seen: what customers or colleagues
    wrote since stops the reply once, with ConversationChanged, unless `force`.
    """
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.NOTE if note else Action.REPLY)
    direction = Direction.NOTE if note else Direction.OUT
    known = _same_client_id(actor, conversation, client_id, body, direction)
    if known:
        return known, False
    _check_length(conversation, body, note=note)
    if not note:
        _check_can_send(conversation)
    if seen_seq is not None and not force:
        _check_unchanged(actor, conversation, seen_seq)
    message = _create(actor, conversation, client_id, body, direction)
    _touch(conversation, message)
    if not note:
        enqueue_delivery(conversation, message)
    announce_message(message, conversation, created=True)
    announce_conversation(conversation)
    return message, True


def _same_client_id(
    actor: Member, conversation: Conversation, client_id: UUID, body: str, direction: Direction
) -> Message | None:
    known = Message.objects.filter(workspace_id=actor.workspace_id, client_id=client_id).first()
    if known is None:
        return None
    same = (known.conversation_id, known.body, known.direction) == (conversation.pk, body, direction)
    if not same or known.sender_user_id != actor.user_id:
        raise ClientIdReused
    return known


def _check_length(conversation: Conversation, body: str, *, note: bool) -> None:
    limit = NOTE_LIMIT if note else BODY_LIMITS[conversation.channel.kind]
    if len(body) > limit:
        raise BodyTooLong(f"At most {limit:,} characters fit.", limit=limit)


def _check_can_send(conversation: Conversation) -> None:
    if not can_send(conversation.channel.kind) or not conversation.channel.is_active:
        raise ChannelCannotSend
    if not conversation.window.open:
        raise WindowClosed(closes_at=conversation.window.closes_at)


def _check_unchanged(actor: Member, conversation: Conversation, seen_seq: int) -> None:
    """What arrived is read from the event log, which is exactly what the writer has or has not seen."""
    arrived: list[dict[str, Any]] = []
    for event in events_after(topics.conversation(conversation.pk), seen_seq):
        if event.type != "message.created":
            continue
        data = event.data
        if data["direction"] != Direction.ACTIVITY and str(data["sender"]["id"]) != str(actor.user_id):
            arrived.append(data)
    if arrived:
        raise ConversationChanged(arrived=arrived)


def _create(actor: Member, conversation: Conversation, client_id: UUID, body: str, direction: Direction) -> Message:
    try:
        with transaction.atomic():
            return Message.objects.create(
                workspace_id=conversation.workspace_id,
                conversation=conversation,
                channel_id=conversation.channel_id,
                direction=direction,
                sender_kind=SenderKind.MEMBER,
                sender_user_id=actor.user_id,
                body=body,
                client_id=client_id,
                status=MessageStatus.QUEUED if direction == Direction.OUT else MessageStatus.RECEIVED,
            )
    except IntegrityError:
        # The same id at the same moment in another conversation: this conversation's lock does not cover that one.
        raise ClientIdReused from None


def _touch(conversation: Conversation, message: Message) -> None:
    """A person's reply ends the customer's waiting; a note does not."""
    fields = ["last_activity_at", "updated_at"]
    conversation.last_activity_at = message.created_at
    if message.direction == Direction.OUT:
        conversation.last_message = message
        conversation.waiting_since = None
        fields += ["last_message", "waiting_since"]
    conversation.save(update_fields=fields)


@unit_of_work
def retry_message(*, actor: Member, conversation_id: UUID, message_id: UUID) -> Message:
    """A person sends a failed message again, or one whose fate nobody could find out. It really goes out again."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.REPLY)
    message = message_for(actor, conversation, message_id, for_update=True)
    if message.direction != Direction.OUT or not is_retryable(message):
        raise NotRetryable
    _check_can_send(conversation)
    message.status = MessageStatus.QUEUED
    message.send_attempt += 1
    message.error_code = message.error_message = message.provider_id = ""
    message.sending_since = message.sent_at = message.delivered_at = message.read_at = message.failed_at = None
    message.save()
    enqueue_delivery(conversation, message)
    announce_message(message, conversation)
    announce_conversation(conversation)
    return message
