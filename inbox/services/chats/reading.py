"""How far our messages got on the customer's side: there, and read."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from config.live.unit import unit_of_work
from crm.actors import Guest, Visitor
from inbox.chats.access import chat_for, participants_of
from inbox.models import Conversation, Message
from inbox.queries import with_parts
from inbox.services.chats.keepers import keeper_of
from inbox.services.outbox.rows import move
from inbox.states import Direction, MessageStatus, can_climb

AT_ONCE = 500  # the newest; what is older was taken long ago
_BELOW = {
    MessageStatus.DELIVERED: (MessageStatus.SENT,),
    MessageStatus.READ: (MessageStatus.SENT, MessageStatus.DELIVERED),
}


def mark_delivered(*, guest: Guest, conversation: Conversation) -> None:
    """The customer's side has fetched it. Costs one look where there is nothing to do."""
    if keeper_of(conversation) is None and _waiting(conversation.pk, MessageStatus.DELIVERED, None).exists():
        _climb(guest, conversation.pk, MessageStatus.DELIVERED, None)


def mark_read(*, guest: Guest, chat_id: UUID, up_to: UUID | None = None) -> None:
    """Everything of ours, or up to a message."""
    conversation = chat_for(guest, chat_id)
    keeper = keeper_of(conversation)
    if keeper is not None and not isinstance(guest, Visitor):
        keeper.read(guest, conversation)
    elif _waiting(chat_id, MessageStatus.READ, up_to).exists():
        _climb(guest, chat_id, MessageStatus.READ, up_to)


@unit_of_work
def _climb(guest: Guest, chat_id: UUID, to: MessageStatus, up_to: UUID | None) -> None:
    conversation = chat_for(guest, chat_id, for_update=True)
    now = timezone.now()
    newest = list(with_parts(_waiting(chat_id, to, up_to)).order_by("-pk")[:AT_ONCE])
    for message in reversed(newest):
        if not can_climb(message.status, to):
            continue
        message.delivered_at = message.delivered_at or now
        if to == MessageStatus.READ:
            message.read_at = now
        move(message, to, conversation)
    if to == MessageStatus.READ and newest:
        participant = participants_of(guest).select_for_update().get(conversation_id=chat_id)
        participant.seen_count += len(newest)
        participant.last_read_at = now
        participant.save(update_fields=["seen_count", "last_read_at"])


def _waiting(chat_id: UUID, to: MessageStatus, up_to: UUID | None) -> QuerySet[Message]:
    rows = Message.objects.filter(
        conversation_id=chat_id, direction=Direction.OUT, status__in=_BELOW[to], deleted_at=None
    )
    return rows if up_to is None else rows.filter(pk__lte=up_to)
