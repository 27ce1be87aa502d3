"""What a customer sees of a chat. One form for REST and live events; nothing that is only ours may get in here."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from inbox.models import Attachment, AttachmentState, Conversation, Message
from inbox.payloads import PREVIEW, ErrorPayload, with_address
from inbox.states import ConversationStatus, Direction, MessageStatus, Scope, SenderKind

WAITING, ACTIVE, ENDED = "waiting", "active", "ended"
# What goes either way. Everything else in a thread is ours alone.
SHOWN = (Direction.IN, Direction.OUT)


class ChatSenderPayload(TypedDict):
    kind: str
    id: UUID | None  # always null: nobody's id of ours goes out
    name: str


class ChatAttachmentPayload(TypedDict):
    id: UUID
    kind: str
    name: str
    content_type: str
    size: int | None
    state: str
    url: str | None


class ChatMessagePayload(TypedDict):
    id: UUID
    conversation: UUID
    client_id: UUID | None
    provider_id: str
    direction: str  # in: the customer's own; out: ours
    sender: ChatSenderPayload
    type: str
    body: str
    attachments: list[ChatAttachmentPayload]
    reply_to: UUID | None
    status: str  # the customer's own: received, then read
    error: ErrorPayload | None
    created_at: datetime


class ChatLinePayload(TypedDict):
    id: UUID
    direction: str
    type: str
    body: str
    sender: ChatSenderPayload
    created_at: datetime


class ChatChannelPayload(TypedDict):
    slug: str
    name: str


class ChatAgentPayload(TypedDict):
    name: str  # the first name


class ChatPayload(TypedDict):
    id: UUID
    channel: ChatChannelPayload
    scope: str
    status: str  # open or resolved
    state: str  # waiting, active or ended
    agent: ChatAgentPayload | None
    seen_up_to: UUID | None  # the newest of the customer's messages that we have seen
    last_message: ChatLinePayload | None
    rating: int | None
    created_at: datetime


def state_of(conversation: Conversation) -> str:
    """Waiting: open, and nobody's yet."""
    if conversation.status == ConversationStatus.RESOLVED:
        return ENDED
    return ACTIVE if conversation.assignee_id else WAITING


def agent_of(conversation: Conversation) -> str | None:
    """Reads `assignee`."""
    return conversation.assignee.first_name if conversation.assignee else None


def told_of(conversation: Conversation) -> str:
    """What a customer may see of the conversation as a whole, in short. Two that are equal look the same to them."""
    parts = (state_of(conversation), agent_of(conversation), conversation.team_seen_up_to, conversation.rating)
    return "|".join(str(part) for part in parts)[:200]


def chat_payload(conversation: Conversation) -> ChatPayload:
    """Reads channel, assignee and last_message with its sender: `queries.with_lines` selects them."""
    agent, last = agent_of(conversation), conversation.last_message
    return {
        "id": conversation.pk,
        "channel": {"slug": conversation.channel.slug, "name": conversation.channel.name},
        "scope": conversation.scope,
        "status": "resolved" if conversation.status == ConversationStatus.RESOLVED else "open",
        "state": state_of(conversation),
        "agent": None if agent is None else {"name": agent},
        "seen_up_to": conversation.team_seen_up_to,
        "last_message": _line(last, conversation) if last and last.direction in SHOWN else None,
        "rating": conversation.rating,
        "created_at": conversation.created_at,
    }


def _line(message: Message, conversation: Conversation) -> ChatLinePayload:
    return {
        "id": message.pk,
        "direction": message.direction,
        "type": message.type,
        "body": message.body[:PREVIEW],
        "sender": _sender(message, own_name(conversation)),
        "created_at": message.created_at,
    }


def own_name(conversation: Conversation) -> str:
    """Rooms of exams share one contact, whose name says nothing of the student."""
    return conversation.contact.name if conversation.scope == Scope.SUPPORT else ""


def _sender(message: Message, name: str) -> ChatSenderPayload:
    if message.sender_kind == SenderKind.CONTACT:
        return {"kind": message.sender_kind, "id": None, "name": name}
    person = message.sender_user if message.sender_kind == SenderKind.MEMBER else None
    return {"kind": message.sender_kind, "id": None, "name": person.first_name if person else ""}


def chat_message_payload(message: Message, conversation: Conversation, name: str | None = None) -> ChatMessagePayload:
    """Reads sender_user, attachments and the conversation's contact. `name`: the customer's own."""
    is_own = message.direction == Direction.IN
    return {
        "id": message.pk,
        "conversation": message.conversation_id,
        "client_id": message.client_id if is_own else None,
        "provider_id": "",
        "direction": message.direction,
        "sender": _sender(message, own_name(conversation) if name is None else name),
        "type": message.type,
        "body": message.body,
        "attachments": _attachments(message),
        "reply_to": message.reply_to_id,
        "status": _status(message, conversation),
        "error": None,
        "created_at": message.created_at,
    }


def _status(message: Message, conversation: Conversation) -> str:
    seen = conversation.team_seen_up_to
    if message.direction == Direction.IN and seen is not None and message.pk <= seen:
        return MessageStatus.READ.value
    return message.status


def _attachments(message: Message) -> list[ChatAttachmentPayload]:
    known = "attachments" in getattr(message, "_prefetched_objects_cache", ())
    rows = message.attachments.all() if known else with_address(message.attachments.all())
    return [_attachment(row, message) for row in sorted(rows, key=lambda row: row.position)]


def _attachment(attachment: Attachment, message: Message) -> ChatAttachmentPayload:
    is_stored = attachment.state == AttachmentState.STORED
    return {
        "id": attachment.pk,
        "kind": attachment.kind,
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "state": attachment.state,
        "url": f"/api/v1/chats/{message.conversation_id}/attachments/{attachment.pk}/" if is_stored else None,
    }
