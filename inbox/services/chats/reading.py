"""How far our messages got on the customer's side: there, and read."""

from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone

from config.live.prepared import fetch
from config.live.unit import unit_of_work
from crm.actors import Guest, Visitor
from inbox.chats.access import chat_for
from inbox.events import announce_conversation, announce_message
from inbox.models import Conversation, Message
from inbox.queries import files, with_sender
from inbox.services.chats.keepers import keeper_of
from inbox.states import Direction, MessageStatus, can_climb
from jobs import rows
from jobs.compiled import Compiled

AT_ONCE = 500  # the newest; what is older was taken long ago
_BELOW = {
    MessageStatus.DELIVERED: (MessageStatus.SENT,),
    MessageStatus.READ: (MessageStatus.SENT, MessageStatus.DELIVERED),
}
_NEWEST_ID = UUID(int=2**128 - 1)  # up to this: all
_HAVE_FILES = "select distinct message_id from inbox_attachment where message_id = any(%(messages)s)"
_HAS_READ = """
    update inbox_participant set seen_count = seen_count + %(number)s, last_read_at = %(now)s
    where conversation_id = %(conversation)s and {who} = %(who)s
    returning 1
"""


def _waiting(chat_id: UUID, up_to: UUID, to: MessageStatus) -> QuerySet[Message]:
    return Message.objects.filter(
        conversation_id=chat_id, direction=Direction.OUT, status__in=_BELOW[to], deleted_at=None, pk__lte=up_to
    )


def _one(to: MessageStatus) -> Compiled[Message]:
    return Compiled(lambda chat, up_to: _waiting(chat, up_to, to).values_list("pk")[:1], UUID, UUID)


def _newest(to: MessageStatus) -> Compiled[Message]:
    return Compiled(
        lambda chat, up_to: with_sender(_waiting(chat, up_to, to)).order_by("-pk")[:AT_ONCE],
        UUID,
        UUID,
    )


# Asked whenever a customer has got or read something.
_ONE = {to: _one(to) for to in _BELOW}
_NEWEST = {to: _newest(to) for to in _BELOW}


def mark_delivered(*, guest: Guest, conversation: Conversation) -> None:
    """The customer's side has fetched it. Costs one look where there is nothing to do."""
    if keeper_of(conversation) is None:
        _climb(guest, conversation.pk, MessageStatus.DELIVERED, _NEWEST_ID)


def mark_read(*, guest: Guest, chat_id: UUID, up_to: UUID | None = None) -> None:
    """Everything of ours, or up to a message."""
    conversation = chat_for(guest, chat_id)
    keeper = keeper_of(conversation)
    if keeper is not None and not isinstance(guest, Visitor):
        keeper.read(guest, conversation)
    else:
        _climb(guest, chat_id, MessageStatus.READ, up_to or _NEWEST_ID)


def _climb(guest: Guest, chat_id: UUID, to: MessageStatus, up_to: UUID) -> None:
    if _ONE[to].tuples(chat_id, up_to):
        _climb_locked(guest, chat_id, to, up_to)


@unit_of_work
def _climb_locked(guest: Guest, chat_id: UUID, to: MessageStatus, up_to: UUID) -> None:
    conversation = chat_for(guest, chat_id, for_update=True)
    now = timezone.now()
    newest = _NEWEST[to].all(chat_id, up_to)
    _know_files(newest)
    for message in reversed(newest):
        if can_climb(message.status, to):
            message.delivered_at = message.delivered_at or now
            message.read_at = now if to == MessageStatus.READ else message.read_at
            _move(message, to, conversation)
    if to == MessageStatus.READ and newest:
        is_visitor = isinstance(guest, Visitor)
        who = guest.visitor_id if isinstance(guest, Visitor) else guest.user_id
        statement = _HAS_READ.format(who="visitor_id" if is_visitor else "user_id")
        fetch(statement, {"number": len(newest), "now": now, "conversation": chat_id, "who": who})


def _move(message: Message, to: MessageStatus, conversation: Conversation) -> None:
    message.status = to
    rows.update(message, ["status", "delivered_at", "read_at", "updated_at"])
    announce_message(message, conversation)
    if conversation.last_message_id == message.pk:
        conversation.last_message = message
        announce_conversation(conversation)


def _know_files(messages: list[Message]) -> None:
    """Most have none."""
    have = {pk for (pk,) in fetch(_HAVE_FILES, {"messages": [message.pk for message in messages]})} if messages else ()
    for message in messages:
        if message.pk not in have:
            message.known_files([])
    prefetch_related_objects([message for message in messages if message.pk in have], files())
