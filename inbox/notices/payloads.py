"""How a notice is shown, to its member alone: where it leads, who caused it, and the first words of a message."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from inbox.models import Conversation, Message, Notice
from inbox.payloads import SenderPayload, sender_payload
from inbox.states import Direction

WORDS = 200  # characters of a message


class NoticePlace(TypedDict):
    id: UUID
    contact: str
    channel: str  # its kind


class NoticeMessage(TypedDict):
    id: UUID
    type: str
    words: str


class NoticePayload(TypedDict):
    id: UUID
    kind: str
    workspace: str
    conversation: NoticePlace | None
    message: NoticeMessage | None
    actor: SenderPayload | None
    created_at: datetime
    read_at: datetime | None


def notice_payload(
    notice: Notice, workspace: str, conversation: Conversation | None, message: Message | None
) -> NoticePayload:
    """Reads the conversation's contact and channel, and the message's sender."""
    contact = conversation.contact.display_name if conversation else ""
    return {
        "id": notice.pk,
        "kind": notice.kind,
        "workspace": workspace,
        "conversation": {"id": conversation.pk, "contact": contact, "channel": conversation.channel.kind}
        if conversation
        else None,
        "message": _message(message),
        "actor": sender_payload(message, contact, conversation.contact_id if conversation else None)
        if message
        else None,
        "created_at": notice.created_at,
        "read_at": notice.read_at,
    }


def _message(message: Message | None) -> NoticeMessage | None:
    """A line that only tells what was done has no words of anybody. What was deleted is nobody's any longer."""
    if message is None or message.deleted_at is not None or message.direction == Direction.ACTIVITY:
        return None
    return {"id": message.pk, "type": message.type, "words": first_words(message)}


def first_words(message: Message | None) -> str:
    """In one line."""
    if message is None or message.deleted_at is not None or message.direction == Direction.ACTIVITY:
        return ""
    return " ".join(message.body[: 2 * WORDS].split())[:WORDS]
