"""What is said of a message afterwards: edited, taken back, reacted to. And of a person: another number.

All of it may come twice and in any order. An edit or a deletion that comes before its message wins: the message is
then stored as edited, or as deleted, and the original finds its place taken.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from config.live.unit import unit_of_work
from crm.actors import System
from crm.search import vector_of
from crm.services.contacts import Sender, contact_for_sender, learn_identities
from inbox.events import announce_conversation, announce_deletion, announce_message, announce_read
from inbox.models import Channel, Conversation, ConversationReader, Message
from inbox.queries import with_lines
from inbox.services.amending import waiting_since
from inbox.services.inbound import (
    BLOCKED,
    Incoming,
    conversation_with,
    how_known,
    is_known,
    receive_message,
    replied_to,
)
from inbox.states import Direction, MessageStatus, SenderKind
from jobs.errors import RetryLater

REACTION = "reaction"
LOOK_AGAIN = 30.0  # seconds; with the tries of a job longer than providers go on repeating a delivery


@dataclass(frozen=True, slots=True)
class Change:
    """Which message, and when that was, by the provider's clock."""

    provider_id: str
    at: datetime
    by_us: bool = False  # staff did it on the phone: then the message is one that went out


# --- Edited -------------------------------------------------------------------------------------------------


@unit_of_work
def edit_message(*, actor: System, channel: Channel, change: Change, body: str | None, unseen: Incoming | None) -> bool:
    """False when it changes nothing. `body` None: it was edited, and nobody tells into what.

    `unseen` is the message as it is now, for when it has not come yet; without it, the edit waits for its message.
    """
    found = _locked(channel, change)
    if found is None and unseen is not None:
        return receive_message(actor=actor, channel=channel, incoming=unseen) is not None
    if found is None and how_known(channel, change.provider_id) == "erased":
        return False
    if found is None:
        raise RetryLater("its message has not come yet", after=LOOK_AGAIN, counts=True, frees_lane=True)
    message, conversation = found
    if message.deleted_at is not None or not _is_news(message, change.at, body):
        return False
    message.edited_at = change.at
    message.body = message.body if body is None else body
    message.search = vector_of(message.body)
    message.save(update_fields=["edited_at", "body", "search", "updated_at"])
    announce_message(message, conversation)
    if conversation.last_message_id == message.pk:
        conversation.last_message = message
        announce_conversation(conversation)
    return True


def _is_news(message: Message, at: datetime, body: str | None) -> bool:
    """Providers count in seconds: two edits within one are told apart by their words."""
    if message.edited_at is None or message.edited_at < at:
        return True
    return message.edited_at == at and body is not None and body != message.body


# --- Taken back ---------------------------------------------------------------------------------------------


@unit_of_work
def delete_message(*, actor: System, channel: Channel, change: Change, person: Sender) -> bool:
    """False when it was deleted before."""
    found = _locked(channel, change)
    if found is None:
        if how_known(channel, change.provider_id) == "erased":
            return False
        _leave_tombstone(actor, channel, change, person)
        return True
    message, conversation = found
    if message.deleted_at is not None:
        return False
    remove(message, conversation)
    announce_conversation(conversation)
    return True


def _leave_tombstone(actor: System, channel: Channel, change: Change, person: Sender) -> None:
    """A deleted message without words, so that the one still under way is known already and never shows."""
    contact = contact_for_sender(actor=actor, sender=person)
    now = timezone.now()
    conversation = Conversation.objects.filter(channel=channel, contact=contact).order_by("-last_activity_at").first()
    # Where there is none, one that nobody ever sees: an empty one would only puzzle people.
    conversation = conversation or Conversation.objects.create(
        workspace_id=channel.workspace_id, channel=channel, contact=contact, last_activity_at=now, deleted_at=now
    )
    Message.objects.create(
        workspace_id=channel.workspace_id,
        conversation=conversation,
        channel=channel,
        direction=Direction.OUT if change.by_us else Direction.IN,
        sender_kind=SenderKind.SYSTEM if change.by_us else SenderKind.CONTACT,
        provider_id=change.provider_id,
        provider_time=change.at,
        status=MessageStatus.SENT if change.by_us else MessageStatus.RECEIVED,
        deleted_at=now,
    )


def remove(message: Message, conversation: Conversation) -> None:
    """Leaves the counts, the list's line and who is waiting as if it had never been there."""
    if _counts(message):
        _uncount(message, conversation)
    message.deleted_at = timezone.now()
    message.save(update_fields=["deleted_at", "updated_at"])
    rows = _shown(conversation)
    if conversation.last_message_id == message.pk:
        lines = rows.filter(direction__in=[Direction.IN, Direction.OUT]).exclude(direction=Direction.OUT, type=REACTION)
        conversation.last_message = lines.select_related("sender_user").order_by("-pk").first()
    if conversation.waiting_since is not None and _counts(message):
        conversation.waiting_since = waiting_since(conversation)
    conversation.save(update_fields=["last_message", "waiting_since", "inbound_count", "updated_at"])
    announce_deletion(message, conversation)


def settle_lines(conversation: Conversation) -> None:
    """After a message came back: the list's line, and who waits, from what the thread shows."""
    rows = _shown(conversation)
    lines = rows.filter(direction__in=[Direction.IN, Direction.OUT]).exclude(direction=Direction.OUT, type=REACTION)
    conversation.last_message = lines.select_related("sender_user").order_by("-pk").first()
    conversation.waiting_since = waiting_since(conversation)
    conversation.save(update_fields=["last_message", "waiting_since", "inbound_count", "updated_at"])


def _counts(message: Message) -> bool:
    return message.direction == Direction.IN and message.type != REACTION and not message.detail.get(BLOCKED)


def _shown(conversation: Conversation) -> QuerySet[Message]:
    return Message.objects.filter(conversation=conversation, deleted_at=None)


def _uncount(message: Message, conversation: Conversation) -> None:
    """Who had seen this one has seen one fewer; who had not, has one fewer to see."""
    counted = (
        _shown(conversation).filter(direction=Direction.IN).exclude(type=REACTION).exclude(detail__has_key=BLOCKED)
    )
    place = counted.filter(pk__lte=message.pk).count()
    conversation.inbound_count = max(0, conversation.inbound_count - 1)
    readers = ConversationReader.objects.select_for_update(no_key=True).filter(
        conversation=conversation, seen_count__gte=max(place, 1)
    )
    users = list(readers.order_by("pk").values_list("user_id", "seen_count"))
    readers.update(seen_count=F("seen_count") - 1, updated_at=timezone.now())
    for user_id, seen_count in users:
        announce_read(user_id, conversation.pk, seen_count - 1)


# --- Reacted to ---------------------------------------------------------------------------------------------


@unit_of_work
def record_reaction(*, actor: System, channel: Channel, incoming: Incoming) -> Message | None:
    """One per customer and message: the newest. No words: the earlier one is taken back. None when it was known.

    It reopens nothing, counts as nothing unread and keeps nobody waiting, but the customer was there.
    """
    if is_known(channel, incoming.provider_id):
        return None
    contact = contact_for_sender(actor=actor, sender=incoming.sender)
    conversation, created = conversation_with(channel, contact)
    if not created and is_known(channel, incoming.provider_id):
        return None
    earlier = list(_earlier_reactions(conversation, incoming.reply_to_provider_id))
    is_late = any(row.provider_time is not None and row.provider_time > incoming.at for row in earlier)
    message = _store_reaction(conversation, incoming, is_shown=bool(incoming.body) and not is_late)
    if not is_late:
        _take_back((row for row in earlier if row.deleted_at is None), conversation)
    _touch(conversation, message, incoming)
    if message.deleted_at is None:
        announce_message(message, conversation, created=True)
    announce_conversation(conversation, created=created)
    return message


def _earlier_reactions(conversation: Conversation, target: str) -> QuerySet[Message]:
    """To the same message, taken back or not: by the provider's id of it, which is known even when it is not."""
    return Message.objects.filter(
        conversation=conversation, direction=Direction.IN, type=REACTION, detail__reaction__message_id=target
    ).select_related("sender_user")


def _store_reaction(conversation: Conversation, incoming: Incoming, *, is_shown: bool) -> Message:
    return Message.objects.create(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        channel_id=conversation.channel_id,
        direction=Direction.IN,
        sender_kind=SenderKind.CONTACT,
        type=REACTION,
        body=incoming.body,
        detail={REACTION: {"message_id": incoming.reply_to_provider_id, "emoji": incoming.body}},
        reply_to=replied_to(conversation, incoming.reply_to_provider_id),
        provider_id=incoming.provider_id,
        provider_time=incoming.at,
        status=MessageStatus.RECEIVED,
        deleted_at=None if is_shown else timezone.now(),
    )


def _take_back(earlier: Iterable[Message], conversation: Conversation) -> None:
    for row in earlier:
        remove(row, conversation)


def _touch(conversation: Conversation, message: Message, incoming: Incoming) -> None:
    fields = ["last_inbound_at", "peer_address", "updated_at"]
    conversation.peer_address = incoming.peer_address
    if incoming.body:
        conversation.last_inbound_at = max(filter(None, (conversation.last_inbound_at, incoming.written_at)))
    if message.deleted_at is None:
        conversation.last_message = message
        conversation.last_activity_at = message.created_at
        fields += ["last_message", "last_activity_at"]
    conversation.save(update_fields=fields)


# --- Another number -----------------------------------------------------------------------------------------


@unit_of_work
def record_new_number(*, actor: System, channel: Channel, incoming: Incoming, new: Sender) -> Message | None:
    """The provider says that the sender goes by another number: a line in the thread, and replies go to the new one."""
    if is_known(channel, incoming.provider_id):
        return None
    contact = contact_for_sender(actor=actor, sender=incoming.sender)
    conversation, created = conversation_with(channel, contact)
    if not created and is_known(channel, incoming.provider_id):
        return None
    learn_identities(actor=actor, contact=contact, sender=new)
    message = Message.objects.create(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        channel_id=conversation.channel_id,
        direction=Direction.ACTIVITY,
        sender_kind=SenderKind.SYSTEM,
        type=incoming.type[:24],
        body=incoming.body,
        detail=incoming.detail,
        provider_id=incoming.provider_id,
        provider_time=incoming.at,
        status=MessageStatus.RECEIVED,
    )
    conversation.peer_address = new.whatsapp or new.bsuid or incoming.peer_address
    conversation.save(update_fields=["peer_address", "updated_at"])
    announce_message(message, conversation, created=True)
    announce_conversation(conversation, created=created)
    return message


@unit_of_work
def record_new_identity(*, actor: System, channel: Channel, old: Sender, new: Sender) -> dict[str, Any]:
    """The same without a message: the person is found by what they were, and from now on by what they are."""
    contact = contact_for_sender(actor=actor, sender=old)
    learn_identities(actor=actor, contact=contact, sender=new)
    gone = [address for address in (old.whatsapp, old.bsuid) if address]
    now = new.whatsapp or new.bsuid
    if now:
        Conversation.objects.filter(channel=channel, contact=contact, peer_address__in=gone).update(peer_address=now)
    return {"contact_id": str(contact.pk)}


def _locked(channel: Channel, change: Change) -> tuple[Message, Conversation] | None:
    """Conversation first, then message: every service locks in this order."""
    direction = Direction.OUT if change.by_us else Direction.IN
    rows = Message.objects.filter(channel=channel, provider_id=change.provider_id, direction=direction)
    conversation_id = rows.values_list("conversation_id", flat=True).first()
    if conversation_id is None:
        return None
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation_id)
    conversation = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=conversation_id)
    return rows.select_for_update(of=("self",), no_key=True).select_related("sender_user").get(), conversation
