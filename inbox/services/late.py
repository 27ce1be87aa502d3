"""Messages that come in long after they were written, by a back-fill: where they stand, and what they change.

They sort into history by the provider's time. Those of an outage are news like any other: unread, and somebody waits
for an answer unless they got one meanwhile. Old history notifies nobody.
"""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from crm.ids import uuid7, uuid7_at
from inbox.models import Conversation, Message
from inbox.states import ConversationStatus, Direction, SenderKind

FIELDS = (
    "last_message",
    "last_activity_at",
    "last_inbound_at",
    "waiting_since",
    "inbound_count",
    "peer_address",
    "status",
    "updated_at",
)


def id_at(place_at: datetime | None) -> UUID:
    """Where a message stands in its thread. A provider's clock that is ahead of ours puts nothing into the future."""
    return uuid7_at(min(place_at, timezone.now())) if place_at else uuid7()


def put_in_place(message: Message, place_at: datetime) -> None:
    """Its time goes with its place: a thread is read with the days between the messages."""
    message.created_at = min(place_at, timezone.now())
    Message.objects.filter(pk=message.pk).update(created_at=message.created_at)


def touch(conversation: Conversation, message: Message, *, opened: bool, is_history: bool) -> None:
    """Whatever the order in which late messages come. `opened`: the conversation was made for this one."""
    if conversation.last_message_id is None or message.pk > conversation.last_message_id:
        conversation.last_message = message
    if is_history:
        _touch_quietly(conversation, message, opened=opened)
    else:
        _touch_as_news(conversation, message)
    conversation.save(update_fields=FIELDS)


def _touch_quietly(conversation: Conversation, message: Message, *, opened: bool) -> None:
    at = message.created_at
    conversation.last_activity_at = at if opened else max(conversation.last_activity_at, at)
    if opened:
        conversation.status = ConversationStatus.RESOLVED


def _touch_as_news(conversation: Conversation, message: Message) -> None:
    conversation.last_activity_at = timezone.now()
    later = Message.objects.filter(conversation=conversation, pk__gt=message.pk).exclude(sender_kind=SenderKind.BOT)
    if message.direction == Direction.OUT:
        _answered(conversation, message)
        return
    conversation.inbound_count += 1
    if not later.filter(direction=Direction.OUT).exists():
        since = conversation.waiting_since
        conversation.waiting_since = min(since, message.created_at) if since else message.created_at
    if conversation.status in {ConversationStatus.RESOLVED, ConversationStatus.SNOOZED}:
        conversation.status = ConversationStatus.OPEN


def _answered(conversation: Conversation, message: Message) -> None:
    """Waiting goes on only for what was written after the answer."""
    unanswered = (
        Message.objects.filter(conversation=conversation, pk__gt=message.pk, direction=Direction.IN)
        .order_by("pk")
        .first()
    )
    if conversation.waiting_since:
        conversation.waiting_since = unanswered.created_at if unanswered else None
