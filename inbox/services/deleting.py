"""One of us takes a message or a note out of the thread, and may put it back for a moment."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from config.errors import Conflict, Forbidden, NotFound
from config.live.unit import unit_of_work
from crm.actors import Caller
from crm.roles import Action
from inbox.access import conversation_for, message_for
from inbox.events import announce_conversation, announce_message, announce_read
from inbox.models import Conversation, ConversationReader, Message
from inbox.queries import with_lines
from inbox.services import changes
from inbox.states import Direction, MessageStatus

UNDO = timedelta(seconds=60)
DELETED_BY = "deleted_by"
UNDER_WAY = frozenset({MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN})


class StillUnderWay(Conflict):
    code = "message_under_way"
    message = "It is on its way. Wait until it has arrived or failed."


class UndoOver(Conflict):
    code = "undo_over"
    message = "It can no longer be put back."


@unit_of_work
def delete_message(*, actor: Caller, conversation_id: UUID, message_id: UUID) -> None:
    """With us only: what a customer has received they keep."""
    conversation = _locked(actor, conversation_id)
    message = message_for(actor, conversation, message_id, for_update=True)
    _check_may(actor, message)
    if message.status in UNDER_WAY:
        raise StillUnderWay
    message.detail = {**message.detail, DELETED_BY: str(_who(actor))}
    message.save(update_fields=["detail"])
    changes.remove(message, conversation)
    announce_conversation(conversation)


@unit_of_work
def restore_message(*, actor: Caller, conversation_id: UUID, message_id: UUID) -> Message:
    """By who took it out, within a minute."""
    conversation = _locked(actor, conversation_id)
    rows = Message.objects.select_for_update(of=("self",), no_key=True).select_related("sender_user")
    message = rows.filter(conversation=conversation, pk=message_id).first()
    if message is None:
        raise NotFound
    _check_may(actor, message)
    if message.deleted_at is None:
        return message
    if message.detail.get(DELETED_BY) != str(_who(actor)):
        raise NotFound
    if message.deleted_at < timezone.now() - UNDO:
        raise UndoOver
    message.deleted_at = None
    message.detail = {name: value for name, value in message.detail.items() if name != DELETED_BY}
    message.save(update_fields=["deleted_at", "detail", "updated_at"])
    _count_again(message, conversation)
    announce_message(message, conversation, created=True)
    announce_conversation(conversation)
    return message


def _locked(actor: Caller, conversation_id: UUID) -> Conversation:
    conversation_for(actor, conversation_id, for_update=True)
    return with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=conversation_id)


def _count_again(message: Message, conversation: Conversation) -> None:
    if message.direction == Direction.IN and message.type != changes.REACTION:
        conversation.inbound_count += 1
        # Whoever had read to the end has read this one too.
        readers = ConversationReader.objects.select_for_update(no_key=True).filter(
            conversation=conversation, seen_count=conversation.inbound_count - 1
        )
        users = list(readers.order_by("pk").values_list("user_id", flat=True))
        readers.update(seen_count=F("seen_count") + 1, updated_at=timezone.now())
        for user_id in users:
            announce_read(user_id, conversation.pk, conversation.inbound_count)
    changes.settle_lines(conversation)


def _check_may(actor: Caller, message: Message) -> None:
    """One's own; others' by who manages the workspace. Activity is the record and stays."""
    if not (actor.may(Action.REPLY) or actor.may(Action.NOTE)) or message.direction == Direction.ACTIVITY:
        raise Forbidden
    is_own = message.sender_user_id == actor.user_id and message.direction != Direction.IN
    if not is_own and not actor.may(Action.MANAGE):
        raise Forbidden("A message is taken out by who wrote it, or by an admin.")


def _who(actor: Caller) -> UUID:
    return actor.user_id
