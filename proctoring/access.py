"""What an actor may see and do with exams. The only place that decides, for HTTP, socket and jobs alike.

Membership gives no exam: a tutor's row does, as long as the tutor is a member; and an enrolment, for one's own.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower, Now

from config.errors import Forbidden, NotFound
from crm.actors import Actor, System
from crm.roles import Action
from proctoring.models import Enrolment, Exam, ExamSession, ExamTutor, Leaderboard, LeaderboardEntry, Violation
from proctoring.people import Student


def visible_exams(actor: Actor) -> QuerySet[Exam]:
    rows = Exam.objects.filter(workspace_id=actor.workspace_id)
    if isinstance(actor, System):
        return rows
    if not actor.may(Action.PROCTOR):
        return rows.none()
    return rows.filter(pk__in=current_tutors().filter(user_id=actor.user_id).values("exam_id"))


def current_tutors() -> QuerySet[ExamTutor]:
    return ExamTutor.objects.filter(Q(expires_at=None) | Q(expires_at__gt=Now()))


def exams_mark(reader: UUID) -> Exists:
    """Whether the rail has an entry to exams for who reads conversations too, over a row of the workspace."""
    return Exists(current_tutors().filter(user_id=reader, exam__workspace=OuterRef("pk")))


def exam_for(actor: Actor, slug: str, *, for_update: bool = False) -> Exam:
    return _named(visible_exams(actor), slug, for_update=for_update)


def manageable_exams(actor: Actor) -> QuerySet[Exam]:
    """Whoever manages exams sees none unasked, but sets them up and says who tutors them, themselves included."""
    if not actor.may(Action.MANAGE_EXAMS):
        return Exam.objects.none()
    return Exam.objects.filter(workspace_id=actor.workspace_id)


def managed_exam_for(actor: Actor, slug: str, *, for_update: bool = False) -> Exam:
    """NotFound for a stranger; Forbidden for a tutor who may not manage."""
    if not actor.may(Action.MANAGE_EXAMS):
        exam_for(actor, slug)
        raise Forbidden
    return _named(manageable_exams(actor), slug, for_update=for_update)


def any_exam_for(actor: Actor, slug: str, *, for_update: bool = False) -> Exam:
    """For what its tutors may do, and whoever manages exams too."""
    rows = Exam.objects.filter(Q(pk__in=visible_exams(actor)) | Q(pk__in=manageable_exams(actor)))
    return _named(rows, slug, for_update=for_update)


def _named(rows: QuerySet[Exam], slug: str, *, for_update: bool) -> Exam:
    if for_update:
        rows = rows.select_for_update(of=("self",), no_key=True)
    exam = rows.filter(slug=slug.lower()).first()
    if exam is None:
        raise NotFound
    return exam


def sessions_for(
    actor: Actor, exam: Exam, session_ids: Sequence[UUID], *, for_update: bool = False
) -> dict[UUID, ExamSession]:
    """Those that there are, with their exam, in order of their ids; `exam` comes from `exam_for`."""
    rows = ExamSession.objects.filter(exam=exam, pk__in=session_ids).order_by("pk")
    found = {
        session.pk: session for session in (rows.select_for_update(of=("self",), no_key=True) if for_update else rows)
    }
    for session in found.values():
        session.exam = exam
    return found


def session_for(actor: Actor, exam: Exam, session_id: UUID, *, for_update: bool = False) -> ExamSession:
    """`exam` comes from `exam_for`."""
    rows = ExamSession.objects.filter(exam=exam, pk=session_id)
    session = (rows.select_for_update(of=("self",), no_key=True) if for_update else rows).first()
    if session is None:
        raise NotFound
    return session


def violation_for(actor: Actor, exam: Exam, violation_id: UUID, *, for_update: bool = False) -> Violation:
    rows = Violation.objects.filter(session__exam=exam, pk=violation_id).select_related("session", "reviewed_by")
    violation = (rows.select_for_update(of=("self",), no_key=True) if for_update else rows).first()
    if violation is None:
        raise NotFound
    return violation


# --- Boards -----------------------------------------------------------------------------------------------


def visible_boards(actor: Actor) -> QuerySet[Leaderboard]:
    """To look after, names and hidden ones included: whoever manages exams, and the tutors of a board's own exam."""
    rows = Leaderboard.objects.filter(workspace_id=actor.workspace_id)
    if isinstance(actor, System) or actor.may(Action.MANAGE_EXAMS):
        return rows
    return rows.alias(exam=Lower("exam_id")).filter(exam__in=visible_exams(actor).values("slug"))


def board_for(actor: Actor, quiz_code: str, *, for_update: bool = False) -> Leaderboard:
    rows = visible_boards(actor)
    if for_update:
        rows = rows.select_for_update(of=("self",), no_key=True)
    board = rows.alias(code=Lower("quiz_code")).filter(code=quiz_code.lower()).first()
    if board is None:
        raise NotFound
    return board


def entry_for(actor: Actor, board: Leaderboard, entry_id: UUID) -> LeaderboardEntry:
    """`board` comes from `board_for`, locked."""
    entry = LeaderboardEntry.objects.filter(board=board, pk=entry_id).select_for_update(no_key=True).first()
    if entry is None:
        raise NotFound
    return entry


# --- Students ---------------------------------------------------------------------------------------------


def enrolments_of(student: Student) -> QuerySet[Enrolment]:
    rows = Enrolment.objects.filter(revoked_at=None)
    if student.user_id is not None:
        return rows.filter(user_id=student.user_id)
    if student.exam_id is None or not student.external_id:
        return rows.none()
    return rows.filter(exam_id=student.exam_id, external_id=student.external_id, user=None)


def enrolment_for(student: Student, slug: str, *, for_update: bool = False) -> Enrolment:
    rows = enrolments_of(student).select_related("exam", "user").filter(exam__slug=slug.lower())
    if for_update:
        rows = rows.select_for_update(of=("self",), no_key=True)
    enrolment = rows.first()
    if enrolment is None:
        raise NotFound
    return enrolment


def own_sessions(student: Student) -> QuerySet[ExamSession]:
    return ExamSession.objects.filter(enrolment__in=enrolments_of(student))


def are_own(asked: Sequence[tuple[Student, UUID]]) -> list[bool]:
    """Whether each is among `own_sessions` of its student, in one statement for all."""
    rows = ExamSession.objects.filter(pk__in={session_id for _, session_id in asked}, enrolment__revoked_at=None)
    fields = ("pk", "enrolment__user_id", "enrolment__exam_id", "enrolment__external_id")
    enrolled = {pk: whose for pk, *whose in rows.values_list(*fields)}
    return [session_id in enrolled and _is(student, *enrolled[session_id]) for student, session_id in asked]


def _is(student: Student, user_id: UUID | None, exam_id: UUID, external_id: str | None) -> bool:
    """Whether an enrolment is the student's, as `enrolments_of` says."""
    if student.user_id is not None:
        return student.user_id == user_id
    is_external = user_id is None and student.exam_id is not None and bool(student.external_id)
    return is_external and (student.exam_id, student.external_id) == (exam_id, external_id)


def own_session(student: Student, session_id: UUID, *, for_update: bool = False) -> ExamSession:
    rows = own_sessions(student).select_related("exam", "enrolment").filter(pk=session_id)
    if for_update:
        rows = rows.select_for_update(of=("self",), no_key=True)
    session = rows.first()
    if session is None:
        raise NotFound
    return session
