"""A customer's message comes in. Once per provider id, into the one open conversation of that contact and channel."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.live.unit import unit_of_work
from crm.actors import System
from crm.erased import Traced, digests
from crm.models import Contact
from crm.search import vector_of
from crm.services.contacts import Sender, contact_for_sender
from crm.services.profiles import count_interactions
from inbox.events import announce_conversation, announce_message
from inbox.models import Attachment, Channel, Conversation, Message
from inbox.services import late, notices, reopening, triggers
from inbox.services.attachments import enqueue_fetch
from inbox.states import ConversationStatus, Direction, MessageStatus, Scope, SenderKind
from jobs import rows, statements

# No provider repeats a delivery for so long (Meta gives up after 36 hours): an older time is a clock that is wrong.
OLDEST_LIVE = timedelta(days=30)
# By hand, since every message that comes in asks these: building them anew costs more than running them.
_IS_KNOWN = f"""
    select 'received' from inbox_message
    where channel_id = %(channel)s and provider_id = %(provider_id)s and provider_id <> ''  -- as its index says
    union all
    select 'erased' from crm_erasedtrace
    where workspace_id = %(workspace)s and kind = '{Traced.MESSAGE.value}' and digest = any(%(digests)s)
"""  # noqa: S608  # only constants are put in
# Before a conversation is opened: no merge moves the contact meanwhile, and one that has is followed.
_WHO_IT_IS = "select merged_into_id from crm_contact where id = %(contact)s for key share"
_OPEN_OR_LATEST = f"""
    select * from inbox_conversation
    where channel_id = %s and contact_id = %s and scope = '{Scope.SUPPORT.value}' and deleted_at is null
      and merged_into_id is null
    order by status = '{ConversationStatus.RESOLVED.value}', last_activity_at desc limit 1 for no key update
"""  # noqa: S608  # only constants are put in
_TOUCHED = (
    "last_message",
    "last_activity_at",
    "last_inbound_at",
    "waiting_since",
    "inbound_count",
    "peer_address",
    "updated_at",
)
REOPENED = frozenset({ConversationStatus.RESOLVED, ConversationStatus.SNOOZED})
BLOCKED = "blocked"  # in a message's detail: it was never counted
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
    is_history: bool = False  # old news: nobody is notified, and `at` is to be believed however old it is
    place_at: datetime | None = None  # back-filled: its place in the thread is by time, and not at the end
    reply_to_provider_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    media: tuple["IncomingMedia", ...] = ()
    edited_at: datetime | None = None  # the edit came before its message, and is all that is ever shown

    @property
    def written_at(self) -> datetime:
        """When the customer wrote, as far as the window is concerned: the provider's clock where it can be right."""
        possible = self.received_at - OLDEST_LIVE <= self.at <= self.received_at
        return self.at if self.is_history or self.place_at or possible else self.received_at


@dataclass(frozen=True, slots=True)
class IncomingMedia:
    kind: str
    provider_media_id: str = ""
    name: str = ""
    content_type: str = ""
    url: str = field(default="", repr=False)  # may work without any credential: a secret


@dataclass(frozen=True, slots=True)
class Echo:
    """A message that went out past us: staff typed it on the phone."""

    recipient: Sender
    provider_id: str
    at: datetime
    type: str
    body: str
    peer_address: str
    reply_to_provider_id: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    media: tuple[IncomingMedia, ...] = ()
    is_history: bool = False
    place_at: datetime | None = None


@unit_of_work
def receive_message(*, actor: System, channel: Channel, incoming: Incoming) -> Message | None:
    """None when it was received before. `channel` comes with its workspace."""
    if is_known(channel, incoming.provider_id):
        return None
    contact = contact_for_sender(actor=actor, sender=incoming.sender)
    conversation, created = conversation_with(channel, contact)
    # Again, under the lock: the same delivery in another worker may have been quicker.
    if not created and is_known(channel, incoming.provider_id):
        return None
    message = _store(conversation, channel, incoming)
    settle(conversation, message, incoming, opened=created)
    return message


def settle(conversation: Conversation, message: Message, incoming: Incoming, *, opened: bool) -> None:
    """What a customer's message changes besides itself, wherever it came from. Inside its unit of work."""
    before = conversation.status
    _touch(conversation, message, incoming, opened=opened)
    _count(message, conversation.contact)
    _announce(message, conversation, opened=opened)
    if not (incoming.is_history or incoming.place_at):
        came_back = not opened and before in REOPENED and conversation.status not in REOPENED
        triggers.customer_wrote(conversation, message, opened=opened, came_back=came_back)
    if not incoming.is_history:
        notices.tell_message(System(conversation.workspace_id, "inbound"), conversation, message, opened=opened)


@unit_of_work
def record_echo(*, actor: System, channel: Channel, echo: Echo) -> Message | None:
    """Shows in the thread what went out past us. None when we know it: sent by us, or recorded before."""
    if is_known(channel, echo.provider_id):
        return None
    contact = contact_for_sender(actor=actor, sender=echo.recipient)
    conversation, created = conversation_with(channel, contact)
    if not created and is_known(channel, echo.provider_id):
        return None
    message = Message.objects.create(
        id=late.id_at(echo.place_at),
        workspace_id=channel.workspace_id,
        conversation=conversation,
        channel=channel,
        direction=Direction.OUT,
        sender_kind=SenderKind.SYSTEM,
        type=echo.type[:24],
        body=echo.body,
        search=vector_of(echo.body),
        detail=echo.detail,
        reply_to=replied_to(conversation, echo.reply_to_provider_id),
        provider_id=echo.provider_id,
        provider_time=echo.at,
        status=MessageStatus.SENT,
        sent_at=echo.at,
    )
    attach(message, echo.media)
    _touch_by_echo(conversation, message, echo, opened=created)
    _count(message, conversation.contact)
    _announce(message, conversation, opened=created)
    return message


def _count(message: Message, contact: Contact) -> None:
    """What the contact's memory counts: words and files, either way. A reaction is no message of its own."""
    if message.type != "reaction":
        count_interactions(contact=contact, at=message.created_at)


def _announce(message: Message, conversation: Conversation, *, opened: bool) -> None:
    """Whoever reads the workspace's feed hears of a conversation before its first message; screens want the message."""
    if opened:
        announce_conversation(conversation, created=True)
    announce_message(message, conversation, created=True)
    if not opened:
        announce_conversation(conversation)


def _touch_by_echo(conversation: Conversation, message: Message, echo: Echo, *, opened: bool) -> None:
    conversation.peer_address = conversation.peer_address or echo.peer_address
    if echo.place_at:
        late.put_in_place(message, echo.place_at)
        late.touch(conversation, message, opened=opened, is_history=echo.is_history)
        return
    conversation.last_message = message
    conversation.last_activity_at = message.created_at
    conversation.waiting_since = None  # a person answered, be it on the phone
    conversation.save(update_fields=["last_message", "last_activity_at", "waiting_since", "peer_address", "updated_at"])


def is_known(channel: Channel, provider_id: str) -> bool:
    return how_known(channel, provider_id) != ""


def how_known(channel: Channel, provider_id: str) -> str:
    """ "received", or "erased" with everything else of its sender; "" for a new one."""
    if not provider_id:
        return ""
    row = statements.execute(
        _IS_KNOWN,
        {
            "channel": channel.pk,
            "provider_id": provider_id,
            "workspace": channel.workspace_id,
            "digests": digests(Traced.MESSAGE, f"{channel.pk}:{provider_id}"),
        },
    ).fetchone()
    return str(row[0]) if row else ""


def why_not(channel: Channel, provider_id: str) -> dict[str, bool]:
    """How a job says that a message changed nothing."""
    return {"erased": True} if how_known(channel, provider_id) == "erased" else {"duplicate": True}


def conversation_with(channel: Channel, contact: Contact) -> tuple[Conversation, bool]:
    """The open conversation, else the latest one reopened, else a new one; locked either way."""
    for _ in range(5):
        found = next(iter(Conversation.objects.raw(_OPEN_OR_LATEST, [channel.pk, contact.pk])), None)
        if found is not None:
            found.channel, found.contact = channel, contact  # read already: the row that is announced needs them
            return found, False
        row = statements.execute(_WHO_IT_IS, {"contact": contact.pk}).fetchone()
        if row and row[0]:
            contact = Contact.objects.get(pk=row[0])  # merged into this one in the same instant
            continue
        try:
            with transaction.atomic():
                opened = Conversation.objects.create(
                    workspace_id=channel.workspace_id,
                    channel=channel,
                    contact=contact,
                    last_activity_at=timezone.now(),
                )
            return opened.known_labels([]), True
        except IntegrityError:
            continue  # another message of the same instant opened it: take that one
    raise RuntimeError("the conversation keeps being opened by somebody else")


def _store(conversation: Conversation, channel: Channel, incoming: Incoming) -> Message:
    message = Message.objects.create(
        id=late.id_at(incoming.place_at),
        workspace_id=channel.workspace_id,
        conversation=conversation,
        channel=channel,
        direction=Direction.IN,
        sender_kind=SenderKind.CONTACT,
        type=incoming.type[:24],
        body=incoming.body,
        search=vector_of(incoming.body),
        detail=incoming.detail,
        reply_to=replied_to(conversation, incoming.reply_to_provider_id),
        provider_id=incoming.provider_id,
        provider_time=incoming.at,
        edited_at=incoming.edited_at,
        status=MessageStatus.RECEIVED,
    )
    attach(message, incoming.media)
    return message


def replied_to(conversation: Conversation, provider_id: str) -> Message | None:
    """The message of the same conversation that is answered, or reacted to."""
    if not provider_id:
        return None
    found = Message.objects.filter(channel_id=conversation.channel_id, provider_id=provider_id).first()
    return found if found and found.conversation_id == conversation.pk else None


def attach(message: Message, media: Sequence[IncomingMedia]) -> None:
    """The files' places; each is fetched by a job of its own, so that the text waits for none."""
    files = [
        Attachment(
            workspace_id=message.workspace_id,
            message=message,
            position=position,
            kind=one.kind[:12],
            name=one.name[:255],
            content_type=one.content_type[:120],
            provider_media_id=one.provider_media_id[:255],
            source=_source(one),
        )
        for position, one in enumerate(media)
    ]
    for attachment in Attachment.objects.bulk_create(files) if files else ():
        enqueue_fetch(attachment)
    message.known_files(files)


def _source(media: IncomingMedia) -> Any:
    return {"url": media.url} if media.url else None


def _touch(conversation: Conversation, message: Message, incoming: Incoming, *, opened: bool) -> None:
    conversation.last_inbound_at = max(filter(None, (conversation.last_inbound_at, incoming.written_at)))
    if incoming.place_at:
        conversation.peer_address = conversation.peer_address or incoming.peer_address
        late.put_in_place(message, incoming.place_at)
        late.touch(conversation, message, opened=opened, is_history=incoming.is_history)
        return
    if conversation.contact.blocked_at is not None:
        _keep_apart(conversation, message, incoming)
        return
    conversation.last_message = message
    conversation.last_activity_at = message.created_at
    conversation.waiting_since = conversation.waiting_since or message.created_at
    conversation.inbound_count += 1
    conversation.peer_address = incoming.peer_address
    fields = [*_TOUCHED]
    if conversation.status in REOPENED:
        fields += reopening.reopen(conversation)
    rows.update(conversation, fields)


def _keep_apart(conversation: Conversation, message: Message, incoming: Incoming) -> None:
    """From somebody whom we have blocked: kept with the spam, unread by nobody, and it reopens nothing."""
    message.detail = {**message.detail, BLOCKED: True}
    message.save(update_fields=["detail", "updated_at"])
    conversation.last_message, conversation.last_activity_at = message, message.created_at
    conversation.peer_address = incoming.peer_address
    conversation.spam_at = conversation.spam_at or timezone.now()
    conversation.save(update_fields=[*_TOUCHED, "spam_at"])
