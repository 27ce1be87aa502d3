"""Reads of exam rooms. No writes."""

from uuid import UUID

from django.db.models import F, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from inbox.models import Conversation, ConversationReader, Message
from inbox.queries import with_parts
from inbox.states import Direction
from proctoring.models import Exam, ExamRoom


def messages_of(conversation: Conversation | None) -> QuerySet[Message]:
    if conversation is None:
        return Message.objects.none()
    return with_parts(Message.objects.filter(conversation=conversation, deleted_at=None))


def seen_counts(conversation: Conversation | None) -> dict[str, int]:
    """How far each side has read: a message is seen when any tutor has."""
    if conversation is None:
        return {"by_tutors": 0, "by_student": 0}
    tutors = ConversationReader.objects.filter(conversation=conversation).aggregate(most=Max("seen_count"))["most"]
    read = Message.objects.filter(conversation=conversation, direction=Direction.OUT).exclude(read_at=None).count()
    return {"by_tutors": tutors or 0, "by_student": read}


def unread_by_student(conversation: Conversation | None) -> int:
    if conversation is None:
        return 0
    return Message.objects.filter(
        conversation=conversation, direction=Direction.OUT, read_at=None, deleted_at=None
    ).count()


def unread_by_member(conversation: Conversation | None, user_id: UUID) -> int:
    if conversation is None:
        return 0
    reader = ConversationReader.objects.filter(conversation=conversation, user_id=user_id).first()
    return max(0, conversation.inbound_count - (reader.seen_count if reader else 0))


def unread_of_exam(exam: Exam) -> dict[UUID, int]:
    """Of each session, how much of what its student wrote no tutor has seen; those with nothing are left out."""
    readers = ConversationReader.objects.filter(conversation=OuterRef("conversation")).values("conversation")
    seen = Coalesce(Subquery(readers.annotate(most=Max("seen_count")).values("most")), 0)
    rooms = ExamRoom.objects.filter(session__exam=exam).annotate(waiting=F("conversation__inbound_count") - seen)
    return dict(rooms.filter(waiting__gt=0).values_list("session_id", "waiting"))
