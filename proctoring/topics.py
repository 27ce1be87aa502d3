"""The live topics of proctoring: their names, and who may listen."""

from uuid import UUID

from config.errors import NotFound
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
    student = student_behind(identity)
    if student is None:
        return False
    try:
        session_id = UUID(key)
    except ValueError:
        return False
    found = ExamSession.objects.select_related("exam").filter(pk=session_id).first()
    if found is None or key != str(session_id):
        return False
    if access.own_sessions(student).filter(pk=session_id).exists():
        return True
    return _is_tutor(identity, found.workspace_id, found.exam.slug) and _is_open(found.workspace_id)


def register_topics() -> None:
    register("leaderboard", _is_there, public=True)
    register("exam", _tutors)
    register("session", _of_session)
    register("presence.exam", _tutors, presence=_shown)
