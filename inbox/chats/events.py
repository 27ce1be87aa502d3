"""What goes to `chat.<id>`, beside what `conversation.<id>` gets. Silence about our own doings is part of the form: an
event that a customer can see nothing new in would still tell them when we did something."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from config.live.events import Event, publish
from config.live.prepared import fetch
from inbox import topics
from inbox.chats.payloads import (
    SHOWN,
    ChatMessagePayload,
    ChatPayload,
    chat_message_payload,
    chat_payload,
    told_of,
)
from inbox.models import Conversation, Message
from inbox.states import ChannelKind

_TELL = """
    update inbox_conversation set told_customer = %(told)s
    where id = %(conversation)s and told_customer <> %(told)s
    returning 1
"""


@dataclass(frozen=True)
class ChatUpdated(Event):
    type: ClassVar[str] = "conversation.updated"
    chat: ChatPayload

    def data(self) -> dict[str, Any]:
        return dict(self.chat)


@dataclass(frozen=True)
class ChatMessageCreated(Event):
    type: ClassVar[str] = "message.created"
    message: ChatMessagePayload

    def data(self) -> dict[str, Any]:
        return dict(self.message)


@dataclass(frozen=True)
class ChatMessageUpdated(ChatMessageCreated):
    type: ClassVar[str] = "message.updated"


@dataclass(frozen=True)
class ChatMessageDeleted(Event):
    type: ClassVar[str] = "message.updated"
    id: UUID
    deleted: bool = True


@dataclass(frozen=True)
class ChatGone(Event):
    type: ClassVar[str] = "conversation.updated"
    id: UUID
    deleted: bool = True


def is_chat(conversation: Conversation) -> bool:
    """Reads `channel`. Of others nobody can follow a `chat.` topic."""
    return conversation.channel.kind == ChannelKind.WIDGET


def tell_conversation(conversation: Conversation) -> None:
    """Only when it looks different to the customer: whoever writes what they were told last is the one who tells."""
    if not is_chat(conversation):
        return
    told = told_of(conversation)
    if told == conversation.told_customer:
        return
    changed = fetch(_TELL, {"conversation": conversation.pk, "told": told})
    conversation.told_customer = told
    if changed:
        publish(topics.chat(conversation.pk), ChatUpdated(chat_payload(conversation)))


def tell_message(
    message: Message, conversation: Conversation, *, created: bool = False, name: str | None = None
) -> None:
    if message.direction in SHOWN and is_chat(conversation):
        payload = chat_message_payload(message, conversation, name)
        publish(topics.chat(conversation.pk), ChatMessageCreated(payload) if created else ChatMessageUpdated(payload))


def tell_deletion(message: Message, conversation: Conversation) -> None:
    if message.direction in SHOWN and is_chat(conversation):
        publish(topics.chat(conversation.pk), ChatMessageDeleted(message.pk))


def tell_gone(conversation: Conversation) -> None:
    if is_chat(conversation):
        publish(topics.chat(conversation.pk), ChatGone(conversation.pk))
