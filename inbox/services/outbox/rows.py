"""How the outbox locks and moves a message."""

from uuid import UUID

from django.db import connection

from inbox.events import announce_conversation, announce_message
from inbox.models import Conversation, Message
from inbox.queries import with_lines
from inbox.states import MessageStatus


def locked(message_id: UUID) -> tuple[Message, Conversation]:
    """Conversation first, then message: every service locks in this order."""
    conversation_id = Message.objects.values_list("conversation_id", flat=True).get(pk=message_id)
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)
    message = (
        Message.objects.select_for_update(of=("self",), no_key=True)
        .select_related("reply_to", "sender_user")
        .get(pk=message_id)
    )
    if message.conversation_id != conversation_id:
        return locked(message_id)  # its contact was merged while we waited: the thread is part of another now
    conversation = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=conversation_id)
    return message, conversation


def move(message: Message, status: MessageStatus, conversation: Conversation) -> None:
    message.status = status
    message.save()
    if message.deleted_at is None:
        announce_message(message, conversation)
    if conversation.last_message_id == message.pk:
        conversation.last_message = message
        announce_conversation(conversation)


def serialise(channel_id: UUID, provider_id: str) -> None:
    """A receipt may come before we know the id it speaks of: whoever is second sees what the first one wrote."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{channel_id}:{provider_id}"])
