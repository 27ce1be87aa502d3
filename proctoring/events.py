"""What proctoring announces, and to whom. Readers of a topic all get the same."""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from config.live.events import Event, publish
from inbox.chats.events import tell_message
from inbox.models import Message
from proctoring import topics
from proctoring.boards import key_of
from proctoring.models import Command, Exam, ExamSession, Leaderboard, LeaderboardEntry, Violation
from proctoring.payloads.boards import EntryPayload, entry_payload
from proctoring.payloads.sessions import (
    ChatMessagePayload,
    ExamPayload,
    OwnCommandPayload,
    OwnViolationPayload,
    SessionPayload,
    chat_message_payload,
    command_payload,
    exam_payload,
    own_command_payload,
    own_violation_payload,
    session_payload,
    violation_payload,
)
from proctoring.rows import SessionRow
from proctoring.states import CommandType


@dataclass(frozen=True)
class EntrySet(Event):
    """A new entry, or one put right. Its rank is as of then: those below move down by themselves."""

    type: ClassVar[str] = "entry.set"
    entry: EntryPayload

    def data(self) -> dict[str, Any]:
        return dict(self.entry)


@dataclass(frozen=True)
class EntryGone(Event):
    """Taken off the board by those who look after it."""

    type: ClassVar[str] = "entry.set"
    id: UUID

    def data(self) -> dict[str, Any]:
        return {"id": self.id, "deleted": True}


@dataclass(frozen=True)
class BoardUpdated(Event):
    """Closed, opened, renamed, or not what it was in some other way: load it anew."""

    type: ClassVar[str] = "board.updated"
    quiz_code: str
    name: str
    is_open: bool


def announce_entry(board: Leaderboard, entry: LeaderboardEntry, rank: int) -> None:
    """A hidden board says nothing; when it is shown again everybody loads it anew."""
    if board.is_hidden or entry.is_hidden:
        return
    publish(topics.leaderboard(board.quiz_code, key_of(board)), EntrySet(entry_payload(entry, rank)))


def announce_gone(board: Leaderboard, entry: LeaderboardEntry) -> None:
    if not board.is_hidden:
        publish(topics.leaderboard(board.quiz_code, key_of(board)), EntryGone(entry.pk))


def announce_board(board: Leaderboard, *, key: str | None = None) -> None:
    """`key`: the one it had until now, for those who still listen there."""
    topic = topics.leaderboard(board.quiz_code, key_of(board) if key is None else key)
    publish(topic, BoardUpdated(board.quiz_code, board.name, board.is_open))


@dataclass(frozen=True)
class ExamUpdated(Event):
    type: ClassVar[str] = "exam.updated"
    exam: ExamPayload

    def data(self) -> dict[str, Any]:
        return dict(self.exam)


@dataclass(frozen=True)
class SessionStarted(Event):
    type: ClassVar[str] = "session.started"
    session: SessionPayload

    def data(self) -> dict[str, Any]:
        return dict(self.session)


@dataclass(frozen=True)
class SessionUpdated(SessionStarted):
    type: ClassVar[str] = "session.updated"


@dataclass(frozen=True)
class ViolationLogged(Event):
    type: ClassVar[str] = "violation.logged"
    violation: OwnViolationPayload

    def data(self) -> dict[str, Any]:
        return dict(self.violation)


@dataclass(frozen=True)
class ViolationUpdated(ViolationLogged):
    type: ClassVar[str] = "violation.updated"


@dataclass(frozen=True)
class CommandCreated(Event):
    type: ClassVar[str] = "command.created"
    command: OwnCommandPayload

    def data(self) -> dict[str, Any]:
        return dict(self.command)


@dataclass(frozen=True)
class CommandUpdated(CommandCreated):
    type: ClassVar[str] = "command.updated"


@dataclass(frozen=True)
class MessageCreated(Event):
    type: ClassVar[str] = "message.created"
    message: ChatMessagePayload

    def data(self) -> dict[str, Any]:
        return dict(self.message)


@dataclass(frozen=True)
class MessageUpdated(MessageCreated):
    type: ClassVar[str] = "message.updated"


@dataclass(frozen=True)
class ChatRead(Event):
    """The student's messages that a tutor has seen: how many of them, from the first."""

    type: ClassVar[str] = "chat.read"
    session: UUID
    seen_count: int


def announce_message(message: Message, session: ExamSession, *, created: bool = False) -> None:
    """Reads conversation with its channel. `chat.<id>` gets it as customers do."""
    payload = chat_message_payload(message, session)
    event = MessageCreated(payload) if created else MessageUpdated(payload)
    for topic in (topics.exam(session.exam.slug), topics.session(session.pk)):
        publish(topic, event)
    tell_message(message, message.conversation, created=created, name=session.student_name)


def announce_read(session: ExamSession, seen_count: int) -> None:
    for topic in (topics.exam(session.exam.slug), topics.session(session.pk)):
        publish(topic, ChatRead(session.pk, seen_count))


def announce_exam(exam: Exam) -> None:
    publish(topics.exam(exam.slug), ExamUpdated(exam_payload(exam)))


def announce_session(row: SessionRow, *, created: bool = False) -> None:
    payload = session_payload(row)
    event = SessionStarted(payload) if created else SessionUpdated(payload)
    publish(topics.exam(row.exam), event)
    publish(topics.session(row.id), event)


def announce_violation(violation: Violation, slug: str, *, created: bool = False) -> None:
    """Reads session and reviewed_by. The student's form goes to the topic that the student hears."""
    kind = ViolationLogged if created else ViolationUpdated
    publish(topics.exam(slug), kind(violation_payload(violation)))
    publish(topics.session(violation.session_id), kind(own_violation_payload(violation)))


def announce_command(command: Command, slug: str, *, created: bool = False) -> None:
    """Reads session and created_by. A private note is not the student's to hear."""
    kind = CommandCreated if created else CommandUpdated
    publish(topics.exam(slug), kind(command_payload(command)))
    if command.type != CommandType.NOTE:
        publish(topics.session(command.session_id), kind(own_command_payload(command)))
