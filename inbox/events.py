"""What the inbox announces, and to whom. Readers of a topic all get the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from config.live import unit
from config.live.events import Event, publish
from crm import feed
from crm.models import Workspace
from inbox import counts, topics
from inbox.chats import events as chats
from inbox.models import Conversation, Message, PlannedMessage
from inbox.payloads import (
    ConversationPayload,
    DraftPayload,
    MessagePayload,
    PlannedPayload,
    conversation_payload,
    message_payload,
    planned_payload,
)
from inbox.states import PLANNED_SHOWN, Direction, Scope


@feed.offered
@dataclass(frozen=True)
class ConversationCreated(Event):
    type: ClassVar[str] = "conversation.created"
    conversation: ConversationPayload

    def data(self) -> dict[str, Any]:
        return dict(self.conversation)


@feed.offered
@dataclass(frozen=True)
class ConversationUpdated(ConversationCreated):
    type: ClassVar[str] = "conversation.updated"


@dataclass(frozen=True)
class SettingsUpdated(Event):
    """Something that open desks show or offer was set up anew: `what` of it, by its id. A label says more, since its
    name stands on rows that are not told one by one."""

    type: ClassVar[str] = "settings.updated"
    what: str
    id: str
    more: Mapping[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        return {"id": self.id, "what": self.what, **self.more}


def announce_setting(workspace_slug: str, what: str, id_: object, **more: Any) -> None:
    publish(topics.inbox(workspace_slug), SettingsUpdated(what, str(id_), more))


def hear_record(workspace_id: UUID, kind: str, id_: str) -> None:
    """What crm keeps and desks offer: registered with the record of changes."""
    if kind in {"team", "view", "member"} and unit.is_open():
        announce_setting(Workspace.objects.values_list("slug", flat=True).get(pk=workspace_id), kind, id_)


@dataclass(frozen=True)
class ConversationGone(Event):
    """Deleted with its contact."""

    type: ClassVar[str] = "conversation.updated"
    id: UUID
    deleted: bool = True


@feed.offered
@dataclass(frozen=True)
class MessageCreated(Event):
    type: ClassVar[str] = "message.created"
    message: MessagePayload

    def data(self) -> dict[str, Any]:
        return dict(self.message)


@feed.offered
@dataclass(frozen=True)
class MessageUpdated(MessageCreated):
    type: ClassVar[str] = "message.updated"


@dataclass(frozen=True)
class MessageDeleted(Event):
    """No more than that it is gone: what it said is nobody's any longer."""

    type: ClassVar[str] = "message.updated"
    id: UUID
    deleted: bool = True


@feed.offered
@dataclass(frozen=True)
class NoteCreated(MessageCreated):
    """In the feed for other systems alone: a type of its own, so that nobody gets private notes unasked."""

    type: ClassVar[str] = "note.created"


@feed.offered
@dataclass(frozen=True)
class NoteUpdated(MessageCreated):
    type: ClassVar[str] = "note.updated"


@dataclass(frozen=True)
class ConversationRead(Event):
    """To the reader alone: how far they have read, for their other tabs and devices."""

    type: ClassVar[str] = "conversation.read"
    id: UUID
    seen_count: int


@dataclass(frozen=True)
class ConversationUnread(ConversationRead):
    """The reader put it back among what they have not seen."""

    type: ClassVar[str] = "conversation.unread"


@dataclass(frozen=True)
class DraftUpdated(Event):
    """To its writer alone, for their other tabs and devices. An empty one was sent or thrown away."""

    type: ClassVar[str] = "draft.updated"
    draft: DraftPayload

    def data(self) -> dict[str, Any]:
        return dict(self.draft)


@dataclass(frozen=True)
class PlannedUpdated(Event):
    """A reply that is to go out later: made, held back, or no longer there."""

    type: ClassVar[str] = "planned.updated"
    planned: PlannedPayload

    def data(self) -> dict[str, Any]:
        return dict(self.planned)


@dataclass(frozen=True)
class PlannedGone(Event):
    """It has gone out, or was taken back."""

    type: ClassVar[str] = "planned.updated"
    id: UUID
    deleted: bool = True


def announce_planned(planned: PlannedMessage) -> None:
    """To the team alone. Reads the user."""
    shown = planned.state in PLANNED_SHOWN
    event = PlannedUpdated(planned_payload(planned)) if shown else PlannedGone(planned.pk)
    publish(topics.conversation(planned.conversation_id), event)


def announce_conversation(conversation: Conversation, *, created: bool = False) -> None:
    """Reads the lines of the list row: contact, channel with its workspace, assignee, last message, labels."""
    payload = conversation_payload(conversation)
    event = ConversationCreated(payload) if created else ConversationUpdated(payload)
    workspace = conversation.channel.workspace
    publish(topics.inbox(workspace.slug), event)
    if not created:
        publish(topics.conversation(conversation.pk), event)
    chats.tell_conversation(conversation)
    _tell_other_systems(conversation, event)
    counts.changed(workspace.pk, workspace.slug)


def announce_gone(conversation: Conversation) -> None:
    event, workspace = ConversationGone(conversation.pk), conversation.channel.workspace
    if conversation.scope == Scope.SUPPORT:
        publish(topics.inbox(workspace.slug), event)
    publish(topics.conversation(conversation.pk), event)
    chats.tell_gone(conversation)
    _tell_other_systems(conversation, event)
    counts.changed(workspace.pk, workspace.slug)


def announce_message(message: Message, conversation: Conversation, *, created: bool = False) -> None:
    payload = message_payload(message, conversation.contact.display_name, conversation.contact_id)
    event = MessageCreated(payload) if created else MessageUpdated(payload)
    publish(topics.conversation(conversation.pk), event)
    chats.tell_message(message, conversation, created=created)
    if message.direction == Direction.NOTE:
        event = NoteCreated(payload) if created else NoteUpdated(payload)
    _tell_other_systems(conversation, event)


def announce_deletion(message: Message, conversation: Conversation) -> None:
    event = MessageDeleted(message.pk)
    publish(topics.conversation(conversation.pk), event)
    chats.tell_deletion(message, conversation)
    _tell_other_systems(conversation, event)


def _tell_other_systems(conversation: Conversation, event: Event) -> None:
    """Exam rooms are for that exam's tutors alone."""
    if conversation.scope == Scope.SUPPORT:
        feed.announce(conversation.channel.workspace, event)


def announce_read(user_id: UUID, conversation_id: UUID, seen_count: int) -> None:
    publish(topics.user(user_id), ConversationRead(id=conversation_id, seen_count=seen_count))


def announce_unread(user_id: UUID, conversation_id: UUID, seen_count: int) -> None:
    publish(topics.user(user_id), ConversationUnread(id=conversation_id, seen_count=seen_count))


def announce_draft(user_id: UUID, draft: DraftPayload) -> None:
    publish(topics.user(user_id), DraftUpdated(draft))
