"""A member writes: a reply that goes out through the outbox, or a private note that stays."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from config.errors import DomainError
from config.live.events import events_after
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Caller, Member
from crm.models import User
from crm.roles import Action
from crm.search import vector_of
from crm.services.mentions import Mentioned, mentioned_by
from crm.services.profiles import count_interactions
from inbox import topics
from inbox.access import conversation_for, is_retryable, message_for
from inbox.errors import ClientIdReused, ConversationChanged, NotRetryable
from inbox.events import announce_conversation, announce_deletion, announce_message
from inbox.models import Attachment, Conversation, Message
from inbox.queries import message_of_client
from inbox.senders import has_provider
from inbox.services import drafts, notices, watching
from inbox.services.chats.mailing import mail_unread_later
from inbox.services.composing import Part, TemplateChoice, Wanted, check_can_send, compose
from inbox.services.outbox import enqueue_delivery
from inbox.states import Direction, MessageStatus, SenderKind
from jobs import rows
from jobs.compiled import Compiled

# Asked with every message.
_PERSON = Compiled(lambda user_id: User.objects.filter(pk=user_id), UUID)


@unit_of_work
def send_message(
    *,
    actor: Caller,
    conversation_id: UUID,
    client_id: UUID,
    body: str = "",
    type: str = "text",  # noqa: A002
    reply_to: UUID | None = None,
    attachments: Sequence[UUID] = (),
    template: TemplateChoice | None = None,
    note: bool = False,
    mentions: Sequence[UUID] = (),
    forwarded: UUID | None = None,
    seen_seq: int | None = None,
    force: bool = False,
    keeps_draft: bool = False,
) -> tuple[Message, bool]:
    """The message, and whether this call made it. The same client_id again gives the same message.

    `seen_seq` is the newest number of the conversation's topic that the writer has seen: what customers or colleagues
    wrote since stops the reply once, with ConversationChanged, unless `force`. Of several files each becomes a message
    where the channel takes one at a time; the first carries the client_id. `mentions` are members and teams that a
    note is meant for. `keeps_draft`: what the writer has begun here is another message.
    """
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.NOTE if note else Action.REPLY)
    wanted = Wanted(body, type, reply_to, tuple(attachments), template, note)
    try:
        composed = compose(actor, conversation, wanted)
        mentioned = mentioned_by(conversation.workspace_id, body, mentions) if note else Mentioned()
        if seen_seq is not None and not force:
            _check_unchanged(actor, conversation, seen_seq)
    except DomainError:
        known = _same_client_id(actor, conversation, client_id, wanted)
        if known is None:
            raise
        return known, False  # what would be refused now went through then
    made: list[Message] = []
    for position, part in enumerate(composed.parts):
        request = {"request": wanted.request_hash} if wanted.request_hash and not position else {}
        origin = {"forwarded": str(forwarded)} if forwarded else {}
        named = {"mentions": mentioned.named} if mentioned.named else {}
        detail = part.detail | named | origin | request
        message = _create(
            actor,
            conversation,
            uuid5(client_id, str(position)) if position else client_id,
            part,
            wanted.direction,
            detail=detail,
            reply_to=None if position else composed.reply_to,
        )
        if message is None:  # the insert itself says so: that spares asking first
            known = None if made else _same_client_id(actor, conversation, client_id, wanted)
            if known is None:
                # The same id at the same moment in another conversation, whose lock is another.
                raise ClientIdReused
            return known, False
        made.append(message)
    _touch(conversation, made[-1])
    if not note and made[-1].type != "reaction":
        count_interactions(contact=conversation.contact, at=made[-1].created_at, number=len(made))
    for message in made:
        if message.type == "reaction":
            _replace_reaction(conversation, message)
        if message.status == MessageStatus.QUEUED:
            enqueue_delivery(conversation, message)
        elif not note:
            mail_unread_later(conversation, message)
        if message.deleted_at is None:
            announce_message(message, conversation, created=True)
    announce_conversation(conversation)
    if note:
        watching.join_all(conversation, mentioned.users)
        notices.tell_note(actor, conversation, made[-1], mentioned.users)
    if isinstance(actor, Member) and made[-1].type != "reaction":
        if not keeps_draft:
            drafts.clear(user_id=actor.user_id, conversation_id=conversation.pk)
        watching.join_all(conversation, {actor.user_id} - {conversation.assignee_id})
    return made[0], True


def _same_client_id(actor: Caller, conversation: Conversation, client_id: UUID, wanted: Wanted) -> Message | None:
    known = message_of_client(actor.workspace_id, client_id)
    if known is None:
        return None
    same = (
        (known.conversation_id, known.direction, known.sender_user_id)
        == (conversation.pk, wanted.direction, actor.user_id)
        and known.detail.get("request", "") == wanted.request_hash
        and known.detail.get("bot") == _bot(actor)
        and (bool(wanted.request_hash) or known.body == wanted.body)
    )
    if not same:
        raise ClientIdReused
    return known


def _check_unchanged(actor: Caller, conversation: Conversation, seen_seq: int) -> None:
    """What arrived is read from the event log, which is exactly what the writer has or has not seen."""
    arrived: list[dict[str, Any]] = []
    own_id = str(actor.user_id if isinstance(actor, Member) else actor.key_id)
    for event in events_after(topics.conversation(conversation.pk), seen_seq):
        if event.type != "message.created":
            continue
        data = event.data
        if data["direction"] != Direction.ACTIVITY and str(data["sender"]["id"]) != own_id:
            arrived.append(data)
    if arrived:
        raise ConversationChanged(arrived=arrived)


def _create(
    actor: Caller,
    conversation: Conversation,
    client_id: UUID,
    part: Part,
    direction: Direction,
    *,
    detail: dict[str, Any],
    reply_to: Message | None,
) -> Message | None:
    """None when this id was given to a message before."""
    bot = _bot(actor)
    message = Message(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        channel_id=conversation.channel_id,
        direction=direction,
        sender_kind=SenderKind.MEMBER if bot is None else SenderKind.BOT,
        sender_user_id=actor.user_id,
        type=part.type,
        body=part.body,
        search=vector_of(part.body),
        detail=detail if bot is None else {**detail, "bot": bot},
        reply_to=reply_to,
        client_id=client_id,
        **_way_out(conversation, direction),
    )
    if not rows.insert(message):
        return None
    if bot is None:
        message.sender_user = _PERSON.first(actor.user_id)
    if not part.attachments:
        message.known_files([])
    for position, attachment in enumerate(part.attachments):
        attachment.message, attachment.position = message, position
        attachment.save(update_fields=["message", "position"])
    return message


def _way_out(conversation: Conversation, direction: Direction) -> dict[str, Any]:
    """Through a provider, or at once where the other end is ours too."""
    if direction != Direction.OUT:
        return {"status": MessageStatus.RECEIVED}
    if has_provider(conversation.channel.kind):
        return {"status": MessageStatus.QUEUED}
    return {"status": MessageStatus.SENT, "sent_at": timezone.now()}


def _bot(actor: Caller) -> dict[str, str] | None:
    """What stays of a key when it is gone: a machine does not write under its creator's name."""
    return None if isinstance(actor, Member) else {"id": str(actor.key_id), "name": actor.name}


def _replace_reaction(conversation: Conversation, message: Message) -> None:
    """To the customer we are one, so our newest reaction is the only one. Without an emoji it takes the others back,
    and is itself nothing to show."""
    now = timezone.now()
    earlier = Message.objects.filter(
        conversation=conversation, direction=Direction.OUT, type="reaction", reply_to=message.reply_to, deleted_at=None
    )
    for row in earlier.exclude(pk=message.pk):
        row.deleted_at = now
        row.save(update_fields=["deleted_at", "updated_at"])
        announce_deletion(row, conversation)
    if not message.body:
        message.deleted_at = now
        message.save(update_fields=["deleted_at", "updated_at"])


def _touch(conversation: Conversation, message: Message) -> None:
    """A person's reply ends the customer's waiting; a note, a reaction or what a program sends does not."""
    if message.type == "reaction":
        return
    fields = ["last_activity_at", "updated_at"]
    conversation.last_activity_at = message.created_at
    if message.direction == Direction.OUT:
        conversation.last_message = message
        fields.append("last_message")
    if message.direction == Direction.OUT and message.sender_kind != SenderKind.BOT:
        conversation.waiting_since = None
        conversation.first_reply_at = conversation.first_reply_at or message.created_at
        fields += ["waiting_since", "first_reply_at"]
    rows.update(conversation, fields)


@unit_of_work
def retry_message(*, actor: Caller, conversation_id: UUID, message_id: UUID) -> Message:
    """A person sends a failed message again, or one whose fate nobody could find out. It really goes out again."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.REPLY)
    message = message_for(actor, conversation, message_id, for_update=True)
    if message.direction != Direction.OUT or not is_retryable(message):
        raise NotRetryable
    check_can_send(conversation, is_template=message.type == "template")
    message.status = MessageStatus.QUEUED
    message.send_attempt += 1
    message.error_code = message.error_message = message.provider_id = ""
    message.send_after = message.sending_since = None
    message.sent_at = message.delivered_at = message.read_at = message.failed_at = None
    message.save()
    Attachment.objects.filter(message=message).update(provider_media_id="")  # it may have expired over there
    enqueue_delivery(conversation, message)
    announce_message(message, conversation)
    announce_conversation(conversation)
    return message
