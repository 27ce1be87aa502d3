"""A customer's message comes in. Once per provider id, into the one open conversation of that contact and channel."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.live.unit import unit_of_work
from crm.actors import System
from crm.models import Contact
from crm.services.contacts import Sender, contact_for_sender
from inbox.events import announce_conversation, announce_message
from inbox.models import Attachment, Channel, Conversation, Message
from inbox.states import ConversationStatus, Direction, MessageStatus, Scope, SenderKind

# No provider repeats a delivery for so long (Meta gives up after 36 hours): an older time is a clock that is wrong.
OLDEST_LIVE = timedelta(days=30)
MEDIA = frozenset({"image", "audio", "video", "document", "sticker"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """A customer's message as any provider's edge hands it in."""

    sender: Sender
    provider_id: str
    at: datetime  # the provider's time
    type: str
    body: str
    peer_address: str  # where a reply goes: the id as received
    received_at: datetime  # ours: when it was kept
    is_history: bool = False  # back-filled: `at` is to be believed however old it is
    reply_to_provider_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    media: tuple["IncomingMedia", ...] = ()

    @property
    def written_at(self) -> datetime:
        """When the customer wrote, as far as the window is concerned: the provider's clock where it can be right."""
        possible = self.received_at - OLDEST_LIVE <= self.at <= self.received_at
        return self.at if self.is_history or possible else self.received_at


@dataclass(frozen=True, slots=True)
class IncomingMedia:
    kind: str
    provider_media_id: str
    name: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Echo:
    """A message that went out past us: staff typed it on the phone."""

    recipient: Sender
    provider_id: str
    at: datetime
    type: str
    body: str
    peer_address: str


@unit_of_work
def receive_message(*, actor: System, channel: Channel, incoming: Incoming) -> Message | None:
    """None when it was received before. `channel` comes with its workspace."""
    if _is_known(channel, incoming.provider_id):
        return None
    contact = contact_for_sender(actor=actor, sender=incoming.sender)
    conversation, created = _conversation_with(channel, contact)
    # Again, under the lock: the same delivery in another worker may have been quicker.
    if not created and _is_known(channel, incoming.provider_id):
        return None
    message = _store(conversation, channel, incoming)
    _touch(conversation, message, incoming)
    announce_message(message, conversation, created=True)
    announce_conversation(conversation, created=created)
    return message


@unit_of_work
def record_echo(*, actor: System, channel: Channel, echo: Echo) -> Message | None:
    """Shows in the thread what went out past us. None when we know it: sent by us, or recorded before."""
    if _is_known(channel, echo.provider_id):
        return None
    contact = contact_for_sender(actor=actor, sender=echo.recipient)
    conversation, created = _conversation_with(channel, contact)
    if not created and _is_known(channel, echo.provider_id):
        return None
    message = Message.objects.create(
        workspace_id=channel.workspace_id,
        conversation=conversation,
        channel=channel,
        direction=Direction.OUT,
        sender_kind=SenderKind.SYSTEM,
        type=echo.type[:24],
        body=echo.body,
        provider_id=echo.provider_id,
        provider_time=echo.at,
        status=MessageStatus.SENT,
        sent_at=echo.at,
    )
    conversation.last_message = message
    conversation.last_activity_at = message.created_at
    conversation.waiting_since = None  # a person answered, be it on the phone
    conversation.peer_address = conversation.peer_address or echo.peer_address
    conversation.save(update_fields=["last_message", "last_activity_at", "waiting_since", "peer_address", "updated_at"])
    announce_message(message, conversation, created=True)
    announce_conversation(conversation, created=created)
    return message


def _is_known(channel: Channel, provider_id: str) -> bool:
    return Message.objects.filter(channel=channel, provider_id=provider_id).exists()


def _conversation_with(channel: Channel, contact: Contact) -> tuple[Conversation, bool]:
    """The open conversation, else the latest one reopened, else a new one; locked either way."""
    mine = (
        Conversation.objects.filter(
            channel=channel, contact=contact, scope=Scope.SUPPORT, deleted_at=None, merged_into=None
        )
        .select_related("assignee")
        .select_for_update(of=("self",))
    )
    for _ in range(5):
        found = mine.exclude(status=ConversationStatus.RESOLVED).first() or mine.order_by("-last_activity_at").first()
        if found is not None:
            found.channel, found.contact = channel, contact  # read already: the row that is announced needs them
            return found, False
        try:
            with transaction.atomic():
                return (
                    Conversation.objects.create(
                        workspace_id=channel.workspace_id,
                        channel=channel,
                        contact=contact,
                        last_activity_at=timezone.now(),
                    ),
                    True,
                )
        except IntegrityError:
            continue  # another message of the same instant opened it: take that one
    raise RuntimeError("the conversation keeps being opened by somebody else")


def _store(conversation: Conversation, channel: Channel, incoming: Incoming) -> Message:
    reply_to = None
    if incoming.reply_to_provider_id:
        reply_to = Message.objects.filter(channel=channel, provider_id=incoming.reply_to_provider_id).first()
    message = Message.objects.create(
        workspace_id=channel.workspace_id,
        conversation=conversation,
        channel=channel,
        direction=Direction.IN,
        sender_kind=SenderKind.CONTACT,
        type=incoming.type[:24],
        body=incoming.body,
        detail=incoming.detail,
        reply_to=reply_to if reply_to and reply_to.conversation_id == conversation.pk else None,
        provider_id=incoming.provider_id,
        provider_time=incoming.at,
        status=MessageStatus.RECEIVED,
    )
    Attachment.objects.bulk_create(
        Attachment(
            workspace_id=channel.workspace_id,
            message=message,
            position=position,
            kind=media.kind,
            name=media.name[:255],
            content_type=media.content_type[:120],
            provider_media_id=media.provider_media_id[:255],
        )
        for position, media in enumerate(incoming.media)
    )
    return message


def _touch(conversation: Conversation, message: Message, incoming: Incoming) -> None:
    conversation.last_message = message
    conversation.last_activity_at = message.created_at
    conversation.last_inbound_at = max(filter(None, (conversation.last_inbound_at, incoming.written_at)))
    conversation.waiting_since = conversation.waiting_since or message.created_at
    conversation.inbound_count += 1
    conversation.peer_address = incoming.peer_address
    if conversation.status in {ConversationStatus.RESOLVED, ConversationStatus.SNOOZED}:
        conversation.status = ConversationStatus.OPEN
    conversation.save(
        update_fields=[
            "last_message",
            "last_activity_at",
            "last_inbound_at",
            "waiting_since",
            "inbound_count",
            "peer_address",
            "status",
            "updated_at",
        ]
    )
