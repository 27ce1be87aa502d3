"""The live topics of proctoring: their names, and who may listen."""

from collections.abc import Sequence
from uuid import UUID

from config.errors import DomainError, NotFound
from config.live.identity import Identity
from config.live.presence import Who
from config.live.topics import register
from crm import features
from crm.access import member_of
from crm.features import Feature, is_on
from crm.presence import shown_as
from proctoring import access
from proctoring.boards import key_of
from proctoring.guests import student_behind
from proctoring.models import Exam, ExamSession, Leaderboard


def leaderboard(quiz_code: str, key: str = "") -> str:
    """By the code as it is stored: whatever case somebody writes it in, there is one topic. A private board's ends with
    its key, so that nobody follows it who has only heard of it."""
    return f"leaderboard.{quiz_code}.{key}" if key else f"leaderboard.{quiz_code}"


def exam(slug: str) -> str:
    """For the exam's tutors."""
    return f"exam.{slug}"


def session(session_id: UUID) -> str:
    """For the exam's tutors and the one student: nothing that only tutors may see."""
    return f"session.{session_id}"


def presence(slug: str) -> str:
    return f"presence.exam.{slug}"


def _is_there(identity: Identity | None, rest: str) -> bool:
    """The name as the board itself has it, key included: the topic without it is nobody's."""
    codes = {rest, rest.rpartition(".")[0]}
    boards = Leaderboard.objects.filter(quiz_code__in=codes, is_hidden=False).select_related("workspace")
    return any(
        leaderboard(board.quiz_code, key_of(board)) == leaderboard(rest) and is_on(board.workspace, Feature.LEADERBOARD)
        for board in boards
    )


def _tutors(identity: Identity | None, slug: str) -> bool:
    found = Exam.objects.filter(slug=slug).values_list("workspace_id", flat=True).first()
    return found is not None and _is_tutor(identity, found, slug) and _is_open(found)


def _is_open(workspace_id: UUID) -> bool:
    """For tutors: they are told when exams are switched off. A student in the middle of one hears of it to the end."""
    features.check(workspace_id, Feature.PROCTORING)
    return True


def _is_tutor(identity: Identity | None, workspace_id: UUID, slug: str) -> bool:
    if identity is None or identity.user_id is None:
        return False
    try:
        access.exam_for(member_of(identity.user_id, workspace_id), slug)
    except NotFound:
        return False
    return True


def _shown(identity: Identity, slug: str) -> Who | None:
    """Tutors see each other there; the students' own sessions say whether they are."""
    found = Exam.objects.filter(slug=slug).values_list("workspace_id", flat=True).first()
    if found is None or identity.user_id is None:
        return None
    try:
        return shown_as(member_of(identity.user_id, found))
    except NotFound:
        return None


def _of_session(identity: Identity | None, key: str) -> bool:
    """Its student, or a tutor of its exam."""
    student, session_id = student_behind(identity), _session_id(key)
    if student is None or session_id is None:
        return False
    return access.are_own([(student, session_id)])[0] or _is_watched_by(identity, session_id)


def _of_sessions(asked: Sequence[tuple[Identity | None, str]]) -> list[bool | DomainError]:
    """Students in one statement for all; what is nobody's own is asked for as the tutors', of whom there are few."""
    named = [(student_behind(identity), _session_id(key)) for identity, key in asked]
    students = [(student, session_id) for student, session_id in named if student and session_id]
    own = {pair for pair, is_own in zip(students, access.are_own(students), strict=True) if is_own}
    return [pair in own or _by_itself(identity, pair[1]) for (identity, _), pair in zip(asked, named, strict=True)]


def _by_itself(identity: Identity | None, session_id: UUID | None) -> bool | DomainError:
    try:
        return session_id is not None and _is_watched_by(identity, session_id)
    except DomainError as closed:
        return closed


def _session_id(key: str) -> UUID | None:
    """In its usual spelling only: a session has one topic."""
    try:
        found = UUID(key)
    except ValueError:
        return None
    return found if str(found) == key else None


def _is_watched_by(identity: Identity | None, session_id: UUID) -> bool:
    found = ExamSession.objects.filter(pk=session_id).values_list("workspace_id", "exam__slug").first()
    return found is not None and _is_tutor(identity, *found) and _is_open(found[0])


def register_topics() -> None:
    register("leaderboard", _is_there, public=True)
    register("exam", _tutors)
    register("session", _of_session, many=_of_sessions)
    register("presence.exam", _tutors, presence=_shown)
