"""How a notice is shown, to its member alone: where it leads, who caused it, the first words of what was written."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from crm.models import ContactNote
from inbox.models import Message, Notice
from inbox.payloads import SenderPayload, sender_payload
from inbox.states import Direction, SenderKind

WORDS = 200  # characters of a message


class NoticePlace(TypedDict):
    id: UUID
    contact: str
    channel: str  # its kind


class NoticeMessage(TypedDict):
    id: UUID
    type: str
    words: str


class NoticeContact(TypedDict):
    id: UUID
    name: str


class NoticeNote(TypedDict):
    """About a contact, and in no conversation."""

    id: UUID
    contact: NoticeContact
    words: str


class NoticePayload(TypedDict):
    id: UUID
    kind: str
    workspace: str
    conversation: NoticePlace | None
    message: NoticeMessage | None
    note: NoticeNote | None
    actor: SenderPayload | None
    created_at: datetime
    read_at: datetime | None


def notice_payload(notice: Notice, workspace: str) -> NoticePayload:
    """Reads the conversation's contact and channel, and the message's sender; or the note's contact and author."""
    conversation = notice.conversation
    return {
        "id": notice.pk,
        "kind": notice.kind,
        "workspace": workspace,
        "conversation": {"id": conversation.pk, "contact": contact_of(notice), "channel": conversation.channel.kind}
        if conversation
        else None,
        "message": _message(notice.message),
        "note": _note(notice.note),
        "actor": actor_of(notice),
        "created_at": notice.created_at,
        "read_at": notice.read_at,
    }


def contact_of(notice: Notice) -> str:
    """Whom it is about."""
    about = notice.conversation or notice.note
    return about.contact.display_name if about else ""


def actor_of(notice: Notice) -> SenderPayload | None:
    if notice.note:
        author = notice.note.author
        return {"kind": SenderKind.MEMBER, "id": author.pk, "name": author.display_name} if author else None
    if notice.message is None:
        return None
    return sender_payload(
        notice.message, contact_of(notice), notice.conversation.contact_id if notice.conversation else None
    )


def place_of(notice: Notice) -> str:
    """The page it leads to, as an address below our own."""
    return f"/contacts/{notice.note.contact_id}" if notice.note else f"/inbox/{notice.conversation_id}"


def _note(note: ContactNote | None) -> NoticeNote | None:
    if note is None:
        return None
    contact: NoticeContact = {"id": note.contact_id, "name": note.contact.display_name}
    return {"id": note.pk, "contact": contact, "words": _shortened(note.body)}


def _message(message: Message | None) -> NoticeMessage | None:
    """A line that only tells what was done has no words of anybody. What was deleted is nobody's any longer."""
    if message is None or message.deleted_at is not None or message.direction == Direction.ACTIVITY:
        return None
    return {"id": message.pk, "type": message.type, "words": _shortened(message.body)}


def words_of(notice: Notice) -> str:
    """The first of what was written, in one line."""
    if notice.note:
        return _shortened(notice.note.body)
    shown = _message(notice.message)
    return shown["words"] if shown else ""


def _shortened(words: str) -> str:
    return " ".join(words[: 2 * WORDS].split())[:WORDS]
