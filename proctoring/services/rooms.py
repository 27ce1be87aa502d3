"""The exam room: a student and their exam's tutors, in a conversation of the inbox that the inbox shows to nobody."""

from dataclasses import dataclass
from uuid import UUID

from config.live.events import signal
from config.live.unit import unit_of_work
from crm.actors import Caller, Customer
from inbox.models import Conversation, Message
from inbox.services import rooms as inbox_rooms
from inbox.services.chats import keepers
from inbox.states import Scope
from proctoring import access, topics
from proctoring.errors import ChatClosed
from proctoring.events import announce_message, announce_read
from proctoring.models import ExamRoom, ExamSession
from proctoring.people import Student


@dataclass(frozen=True, slots=True)
class Room:
    session: ExamSession
    conversation: Conversation | None  # nobody has written yet


def own_room(student: Student, session_id: UUID) -> Room:
    return _room(access.own_session(student, session_id))


def tutored_room(actor: Caller, slug: str, session_id: UUID) -> Room:
    exam = access.exam_for(actor, slug)
    return _room(access.session_for(actor, exam, session_id))


def _room(session: ExamSession) -> Room:
    found = ExamRoom.objects.select_related("conversation").filter(session=session).first()
    return Room(session, found.conversation if found else None)


@unit_of_work
def write_as_student(*, student: Student, session_id: UUID, client_id: UUID, body: str) -> tuple[Message, bool]:
    session = access.own_session(student, session_id, for_update=True)
    return _write(session, client_id, body, student.user_id, is_student=True)


@unit_of_work
def write_as_tutor(*, actor: Caller, slug: str, session_id: UUID, client_id: UUID, body: str) -> tuple[Message, bool]:
    exam = access.exam_for(actor, slug)
    session = access.session_for(actor, exam, session_id, for_update=True)
    return _write(session, client_id, body, actor.user_id, is_student=False)


def _write(
    session: ExamSession, client_id: UUID, body: str, user_id: UUID | None, *, is_student: bool
) -> tuple[Message, bool]:
    if not session.exam.is_chat_open:
        raise ChatClosed
    room = _opened(session)
    message, created = inbox_rooms.write_in_room(
        room=room, client_id=client_id, body=body, user_id=user_id, is_student=is_student
    )
    if created:
        announce_message(message, session, created=True)
    return message, created


def _opened(session: ExamSession) -> Conversation:
    """Opened by the first message; the session's lock makes it one."""
    conversation = _room(session).conversation
    if conversation is None:
        conversation = inbox_rooms.open_room(workspace_id=session.workspace_id, student_id=session.student_user_id)
        ExamRoom.objects.create(workspace_id=session.workspace_id, session=session, conversation=conversation)
    return conversation


@unit_of_work
def read_as_student(*, student: Student, session_id: UUID) -> None:
    room = own_room(student, session_id)
    if room.conversation is None:
        return
    for message in inbox_rooms.read_as_student(room=room.conversation, user_id=student.user_id):
        announce_message(message, room.session)


@unit_of_work
def read_as_tutor(*, actor: Caller, slug: str, session_id: UUID) -> None:
    room = tutored_room(actor, slug, session_id)
    if room.conversation is not None:
        seen = inbox_rooms.read_as_member(room=room.conversation, user_id=actor.user_id)
        announce_read(room.session, seen)


def tell_typing_as_student(*, student: Student, session_id: UUID) -> None:
    session = access.own_session(student, session_id)
    _typing(session, {"kind": "student", "name": session.student_name})


# --- The same room through the inbox's own edge for chats -------------------------------------------------------


def keep_rooms() -> None:
    keepers.register(Scope.EXAM, keepers.Keeper(write=_written, read=_read, typing=_typed))


def _place_of(customer: Customer, conversation: Conversation) -> tuple[Student, UUID]:
    session_id = ExamRoom.objects.values_list("session_id", flat=True).get(conversation=conversation)
    return Student(user_id=customer.user_id, name=customer.name), session_id


def _written(customer: Customer, conversation: Conversation, client_id: UUID, body: str) -> tuple[Message, bool]:
    student, session_id = _place_of(customer, conversation)
    return write_as_student(student=student, session_id=session_id, client_id=client_id, body=body)


def _read(customer: Customer, conversation: Conversation) -> None:
    student, session_id = _place_of(customer, conversation)
    read_as_student(student=student, session_id=session_id)


def _typed(customer: Customer, conversation: Conversation) -> None:
    student, session_id = _place_of(customer, conversation)
    tell_typing_as_student(student=student, session_id=session_id)


def tell_typing_as_tutor(*, actor: Caller, slug: str, session_id: UUID) -> None:
    room = tutored_room(actor, slug, session_id)
    _typing(room.session, {"kind": "tutor", "name": actor.name, "id": str(actor.user_id)})


def _typing(session: ExamSession, user: dict[str, str]) -> None:
    signal(topics.session(session.pk), "typing", {"typing": True, "session": str(session.pk), "user": user})
