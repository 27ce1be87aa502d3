"""What the outside sees of conversations and messages: one form for REST, live events and pages.

Nothing here depends on who reads. REST adds `unread_count`, `seen_count` and `allowed_actions` on top.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import QuerySet

from crm.models import Contact
from inbox.links import attachment_path
from inbox.models import (
    Attachment,
    AttachmentState,
    Conversation,
    ConversationLabel,
    Draft,
    Label,
    Message,
    PlannedMessage,
)
from inbox.states import Direction, MessageStatus, SenderKind
from jobs.compiled import Compiled

PREVIEW = 200  # characters of a message's body in the list
# What of a message's detail is shown. Never a file's own part: it may hold an address that opens without a password.
DETAILS = (
    "location",
    "contacts",
    "interactive",
    "button",
    "order",
    "reaction",
    "system",
    "unsupported",
    "template",
    "activity",
    "forwarded",  # the id of the message that it was
    "mentions",  # of a note: [{"id", "name", "kind": "member" or "team"}]
)


class NamedPayload(TypedDict):
    id: UUID
    name: str


class ContactLine(NamedPayload):
    phone: str


class ChannelLine(NamedPayload):
    slug: str
    kind: str


class LabelPayload(TypedDict):
    name: str
    hue: int


class SenderPayload(TypedDict):
    kind: str
    id: UUID | None
    name: str


class ErrorPayload(TypedDict):
    code: str
    message: str


class LastMessagePayload(TypedDict):
    id: UUID
    direction: str
    type: str
    body: str
    status: str
    sender: SenderPayload
    error: ErrorPayload | None
    created_at: datetime


class WindowPayload(TypedDict):
    open: bool
    closes_at: datetime | None


class ConversationPayload(TypedDict):
    id: UUID
    contact: ContactLine
    channel: ChannelLine
    scope: str
    status: str
    assignee: NamedPayload | None
    team: NamedPayload | None
    snoozed_until: datetime | None
    is_spam: bool
    priority: str
    labels: list[LabelPayload]
    inbound_count: int
    last_message: LastMessagePayload | None
    last_activity_at: datetime
    waiting_since: datetime | None
    window: WindowPayload
    planned_state: str | None  # of its replies that go out later: waiting, or held, which waits for a person
    created_at: datetime
    updated_at: datetime


class AttachmentPayload(TypedDict):
    id: UUID
    kind: str
    name: str
    content_type: str
    size: int | None
    state: str  # pending, stored or failed
    url: str | None  # asks who is reading, then leads to the file
    error: ErrorPayload | None


class MessagePayload(TypedDict):
    id: UUID
    conversation: UUID
    client_id: UUID | None
    provider_id: str
    direction: str
    sender: SenderPayload
    type: str
    body: str
    attachments: list[AttachmentPayload]
    reply_to: UUID | None
    status: str
    error: ErrorPayload | None
    status_times: dict[str, datetime]
    provider_time: datetime | None
    edited_at: datetime | None
    detail: dict[str, Any]  # of what is more than words, in the form of WhatsApp's own message objects
    created_at: datetime


class DraftPayload(TypedDict):
    """An empty body without files is no draft; the version goes on nevertheless."""

    conversation: UUID
    body: str
    is_note: bool
    detail: dict[str, Any]  # reply_to, attachments, template
    version: int
    updated_at: datetime | None


def draft_payload(draft: Draft) -> DraftPayload:
    return {
        "conversation": draft.conversation_id,
        "body": draft.body,
        "is_note": draft.is_note,
        "detail": draft.detail,
        "version": draft.version,
        "updated_at": draft.updated_at,
    }


class AuthorPayload(TypedDict):
    id: UUID
    name: str


class PlannedPayload(TypedDict):
    """A reply that goes out later; `held` says that its time has come and that it waits for a person, `error` why."""

    id: UUID
    conversation: UUID
    client_id: UUID
    body: str
    send_at: datetime
    state: str
    error: ErrorPayload | None
    author: AuthorPayload | None  # null: has left
    created_at: datetime


def planned_payload(planned: PlannedMessage) -> PlannedPayload:
    """Reads the user."""
    user = planned.user
    return {
        "id": planned.pk,
        "conversation": planned.conversation_id,
        "client_id": planned.client_id,
        "body": planned.body,
        "send_at": planned.send_at,
        "state": planned.state,
        "error": {"code": planned.error_code, "message": planned.error_message} if planned.error_code else None,
        "author": {"id": user.pk, "name": user.display_name} if user else None,
        "created_at": planned.created_at,
    }


def conversation_payload(conversation: Conversation) -> ConversationPayload:
    """Reads contact, channel, assignee, team, last_message with its sender, labels: `queries.with_lines` has them."""
    contact, channel, assignee = conversation.contact, conversation.channel, conversation.assignee
    team = conversation.team
    window = conversation.window
    last = conversation.last_message
    return {
        "id": conversation.pk,
        "contact": {"id": contact.pk, "name": contact.display_name, "phone": contact.phone_normalized},
        "channel": {"id": channel.pk, "name": channel.name, "slug": channel.slug, "kind": channel.kind},
        "scope": conversation.scope,
        "status": conversation.status,
        "assignee": {"id": assignee.pk, "name": assignee.display_name} if assignee else None,
        "team": {"id": team.pk, "name": team.name} if team else None,
        "snoozed_until": conversation.snoozed_until,
        "is_spam": conversation.spam_at is not None,
        "priority": conversation.priority,
        "labels": [{"name": label.name, "hue": label.hue} for label in _labels(conversation)],
        "inbound_count": conversation.inbound_count,
        "last_message": _last_message(last, contact) if last else None,
        "last_activity_at": conversation.last_activity_at,
        "waiting_since": conversation.waiting_since,
        "window": {"open": window.open, "closes_at": window.closes_at},
        "planned_state": conversation.planned_state or None,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
    }


# Asked with every message.
_WORN = Compiled(
    lambda conversation: (
        ConversationLabel.objects.filter(conversation=conversation).select_related("label").order_by("pk")
    ),
    UUID,
)


def _labels(conversation: Conversation) -> Iterable[Label]:
    if "labels" in getattr(conversation, "_prefetched_objects_cache", ()):
        return conversation.labels.all()
    return [worn.label for worn in _WORN.all(conversation.pk)]


def _last_message(message: Message, contact: Contact) -> LastMessagePayload:
    return {
        "id": message.pk,
        "direction": message.direction,
        "type": message.type,
        "body": message.body[:PREVIEW],
        "status": message.status,
        "sender": sender_payload(message, contact.display_name, contact.pk, with_bot=False),
        "error": _error(message),
        "created_at": message.created_at,
    }


def sender_payload(
    message: Message, contact_name: str, contact_id: UUID | None = None, *, with_bot: bool = True
) -> SenderPayload:
    """`with_bot` reads `detail`, which lists of conversations leave out."""
    if message.sender_kind == SenderKind.CONTACT:
        return {"kind": message.sender_kind, "id": contact_id, "name": contact_name}
    if message.sender_kind == SenderKind.BOT:
        bot = (message.detail.get("bot") if with_bot else None) or {}
        return {"kind": message.sender_kind, "id": UUID(bot["id"]) if bot else None, "name": bot.get("name", "")}
    user = message.sender_user
    return {"kind": message.sender_kind, "id": user.pk if user else None, "name": user.display_name if user else ""}


def _error(message: Message) -> ErrorPayload | None:
    if not message.error_message:
        return None
    return {"code": message.error_code, "message": message.error_message}


def attachment_payload(attachment: Attachment) -> AttachmentPayload:
    is_stored = attachment.state == AttachmentState.STORED
    has_failed = attachment.state == AttachmentState.FAILED
    return {
        "id": attachment.pk,
        "kind": attachment.kind,
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "state": attachment.state,
        "url": attachment_path(attachment.workspace.slug, attachment.pk) if is_stored else None,
        "error": {"code": attachment.error_code, "message": attachment.error_message} if has_failed else None,
    }


def _attachments(message: Message) -> list[AttachmentPayload]:
    """With the workspace, whose name is part of the address, in the same query."""
    known = "attachments" in getattr(message, "_prefetched_objects_cache", ())
    rows = message.attachments.all() if known else with_address(message.attachments.all())
    return [attachment_payload(attachment) for attachment in sorted(rows, key=lambda row: row.position)]


def with_address(rows: QuerySet[Attachment]) -> QuerySet[Attachment]:
    return rows.select_related("workspace").defer("source")


def message_payload(message: Message, contact_name: str, contact_id: UUID | None = None) -> MessagePayload:
    """Reads sender_user and attachments: `queries.with_parts` selects them, else the files take a query."""
    times = {
        MessageStatus.QUEUED: message.created_at if message.direction == Direction.OUT else None,
        MessageStatus.SENT: message.sent_at,
        MessageStatus.DELIVERED: message.delivered_at,
        MessageStatus.READ: message.read_at,
        MessageStatus.FAILED: message.failed_at,
    }
    return {
        "id": message.pk,
        "conversation": message.conversation_id,
        "client_id": message.client_id,
        "provider_id": message.provider_id,
        "direction": message.direction,
        "sender": sender_payload(message, contact_name, contact_id),
        "type": message.type,
        "body": message.body,
        "attachments": _attachments(message),
        "reply_to": message.reply_to_id,
        "status": message.status,
        "error": _error(message),
        "status_times": {status.value: at for status, at in times.items() if at},
        "provider_time": message.provider_time,
        "edited_at": message.edited_at,
        "detail": {name: message.detail[name] for name in DETAILS if name in message.detail},
        "created_at": message.created_at,
    }
