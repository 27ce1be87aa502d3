"""Conversations of scope exam: opened by the app above that knows exams, in no list, count or search of the inbox.

What a room is about and who may enter it that app decides; here are its messages and how far each side has read.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from config.errors import Invalid, Said
from config.live.unit import unit_of_work
from crm.models import Contact
from inbox.errors import BodyTooLong, ClientIdReused
from inbox.models import Channel, Conversation, ConversationReader, Message, Participant, ParticipantRole
from inbox.senders import limits_of
from inbox.services.presence import tell_reader
from inbox.states import ChannelKind, Direction, MessageStatus, Scope, SenderKind

NAME = "Exam rooms"
LOCK = 0x726F6F6D  # of making a workspace's channel of rooms


@unit_of_work
def open_room(*, workspace_id: UUID, student_id: UUID | None) -> Conversation:
    """`student_id`: the user who takes part as the student, if it is one."""
    channel, contact = _place(workspace_id)
    room = Conversation.objects.create(
        workspace_id=workspace_id,
        channel=channel,
        contact=contact,
        scope=Scope.EXAM,
        last_activity_at=timezone.now(),
    )
    if student_id is not None:
        Participant.objects.create(
            workspace_id=workspace_id, conversation=room, role=ParticipantRole.STUDENT, user_id=student_id
        )
    return room


def _place(workspace_id: UUID) -> tuple[Channel, Contact]:
    """One channel and one contact stand for all rooms of a workspace: students are no customers. The channel takes and
    sends nothing, and the contact is in no list."""
    slug = f"rooms-{workspace_id.hex}"
    with transaction.get_connection().cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK, slug])
    channel = Channel.objects.filter(workspace_id=workspace_id, slug=slug).first()
    if channel is None:
        channel = Channel.objects.create(
            workspace_id=workspace_id, slug=slug, kind=ChannelKind.WIDGET, name=NAME, is_active=False
        )
    contact_id = channel.settings.get("contact")
    contact = Contact.objects.filter(pk=contact_id).first() if contact_id else None
    if contact is None:
        contact = Contact.objects.create(workspace_id=workspace_id, name=NAME, deleted_at=timezone.now())
        channel.settings = {**channel.settings, "contact": str(contact.pk)}
        channel.save(update_fields=["settings"])
    return channel, contact


@unit_of_work
def write_in_room(
    *, room: Conversation, client_id: UUID, body: str, user_id: UUID | None, is_student: bool
) -> tuple[Message, bool]:
    """The message, and whether this call made it. The same client_id again is the same message."""
    limit = limits_of(ChannelKind.WIDGET).body
    if not body.strip():
        raise Invalid(errors={"body": "Write something first."})
    if len(body) > limit:
        raise BodyTooLong(Said("At most {most} characters fit.", most=f"{limit:,}"), limit=limit)
    room = Conversation.objects.select_for_update(no_key=True).get(pk=room.pk)
    direction = Direction.IN if is_student else Direction.OUT
    known = Message.objects.select_related("sender_user").filter(workspace_id=room.workspace_id, client_id=client_id)
    if (found := known.first()) is not None:
        if (found.conversation_id, found.direction, found.body) != (room.pk, direction, body):
            raise ClientIdReused
        return found, False
    try:
        with transaction.atomic():
            message = Message.objects.create(
                workspace_id=room.workspace_id,
                conversation=room,
                channel_id=room.channel_id,
                direction=direction,
                sender_kind=SenderKind.CONTACT if is_student else SenderKind.MEMBER,
                sender_user_id=user_id,
                body=body,
                client_id=client_id,
                status=MessageStatus.RECEIVED if is_student else MessageStatus.SENT,
                sent_at=None if is_student else timezone.now(),
            )
    except IntegrityError:
        raise ClientIdReused from None
    _touch(room, message, is_student=is_student)
    return message, True


def _touch(room: Conversation, message: Message, *, is_student: bool) -> None:
    room.last_message = message
    room.last_activity_at = message.created_at
    if is_student:
        room.inbound_count += 1
        room.last_inbound_at = message.created_at
        room.waiting_since = room.waiting_since or message.created_at
    else:
        room.waiting_since = None
    room.save(
        update_fields=[
            "last_message",
            "last_activity_at",
            "inbound_count",
            "last_inbound_at",
            "waiting_since",
            "updated_at",
        ]
    )


@unit_of_work
def read_as_student(*, room: Conversation, user_id: UUID | None) -> list[Message]:
    """Everything of ours; answers what had not been read before."""
    unread = Message.objects.select_for_update(of=("self",), no_key=True).select_related("sender_user")
    now, messages = timezone.now(), list(unread.filter(conversation=room, direction=Direction.OUT, read_at=None))
    for message in messages:
        message.status, message.read_at = MessageStatus.READ, now
        message.delivered_at = message.delivered_at or now
        message.save(update_fields=["status", "read_at", "delivered_at", "updated_at"])
    if user_id is not None and messages:
        Participant.objects.filter(conversation=room, user_id=user_id).update(
            seen_count=F("seen_count") + len(messages), last_read_at=now
        )
    return messages


@unit_of_work
def read_as_member(*, room: Conversation, user_id: UUID) -> int:
    """How many of the student's messages the member has seen by now: all."""
    ConversationReader.objects.get_or_create(
        conversation=room, user_id=user_id, defaults={"workspace_id": room.workspace_id}
    )
    ConversationReader.objects.filter(conversation=room, user_id=user_id).update(
        seen_count=Greatest(F("seen_count"), room.inbound_count), updated_at=timezone.now()
    )
    tell_reader(room)
    return room.inbound_count
