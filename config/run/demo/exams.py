"""The demo's exam: Tia supervises it, Sam and Sue may sit it, and a class from this morning has handed in."""

from datetime import datetime, timedelta
from uuid import uuid5

from config.run.demo.people import DEMO, USERS
from crm.ids import uuid7_at
from proctoring.models import Enrolment, Exam, ExamRule, ExamSession, ExamTutor, SessionPulse, Violation
from proctoring.states import LIVE, VOCABULARY, Review, SessionStatus, Severity

SLUG = "demo-exam"
SECRET = "demo-exam-secret-that-signs-for-tutors-and-students"  # noqa: S105 - published on purpose
QUESTIONS = 40
LENGTH = timedelta(minutes=60)
# Name, group, answered, minutes taken, how it ended, and what was noticed: type, minute, review
CLASS = (
    ("Siti Rahmawati", "8a", 40, 52, SessionStatus.SUBMITTED, (("window_resize", 8, Review.DISMISSED),)),
    ("ليان القحطاني", "8a", 38, 58, SessionStatus.SUBMITTED, (("paste", 21, Review.CONFIRMED), ("copy", 20, ""))),
    ("Diego Salazar", "8a", 31, 60, SessionStatus.EXPIRED, (("tab_switch", 12, ""), ("tab_switch", 31, ""))),
    ("Noah Becker", "8b", 40, 44, SessionStatus.SUBMITTED, (("fullscreen_exit", 5, Review.DISMISSED),)),
    ("عمر حدّاد", "8b", 12, 19, SessionStatus.TERMINATED, (("devtools_open", 17, Review.CONFIRMED),)),
    ("Mei Lin 林美", "8b", 40, 49, SessionStatus.SUBMITTED, ()),
)


def create_exam(now: datetime) -> None:
    since = now - timedelta(days=1)
    exam = Exam.objects.create(
        id=uuid7_at(since),
        workspace_id=DEMO.id,
        slug=SLUG,
        title="Biology midterm",
        duration_seconds=round(LENGTH.total_seconds()),
        question_count=QUESTIONS,
        attempts=100,  # so that the same two students can try it again and again
        policy_version="2026-11-01",
        secrets={"signing": [SECRET]},
        created_by_id=USERS["ada"].id,
        created_at=since,
    )
    ExamTutor.objects.create(
        workspace_id=DEMO.id, exam=exam, user_id=USERS["tia"].id, added_by_id=USERS["ada"].id, created_at=since
    )
    ExamRule.objects.create(workspace_id=DEMO.id, exam=exam, type="mouse_leave", is_counted=False)
    Enrolment.objects.bulk_create(
        [
            Enrolment(workspace_id=DEMO.id, exam=exam, user_id=USERS[key].id, group="8a", created_at=since)
            for key in ("sam", "sue")
        ]
    )
    for number, (name, *_) in enumerate(CLASS, start=1):
        _sit(exam, number, now - timedelta(hours=3, minutes=number), name, *CLASS[number - 1][1:])


def _sit(
    exam: Exam,
    number: int,
    started: datetime,
    name: str,
    group: str,
    answered: int,
    minutes: int,
    status: SessionStatus,
    noticed: tuple[tuple[str, int, str], ...],
) -> None:
    word = f"class-8-{number}"
    enrolment = Enrolment.objects.create(
        workspace_id=exam.workspace_id, exam=exam, external_id=word, name=name, group=group
    )
    ended = started + timedelta(minutes=minutes)
    severities = [VOCABULARY[type_] for type_, _, _ in noticed]
    session = ExamSession.objects.create(
        id=uuid7_at(started),
        workspace_id=exam.workspace_id,
        exam=exam,
        enrolment=enrolment,
        student=word,
        student_name=name,
        group=group,
        status=status,
        started_at=started,
        ended_at=None if status in LIVE else ended,
        violation_count=len(noticed),
        low_count=severities.count(Severity.LOW),
        medium_count=severities.count(Severity.MEDIUM),
        high_count=severities.count(Severity.HIGH),
        critical_count=severities.count(Severity.CRITICAL),
        unreviewed_count=sum(1 for _, _, review in noticed if not review),
    )
    SessionPulse.objects.create(
        session=session,
        workspace_id=exam.workspace_id,
        is_live=status in LIVE,
        seen_at=ended,
        last_heartbeat=ended,
        beats=minutes * 6,
        current_question=answered,
        answered_count=answered,
        rtt_ms=38 + number * 7,
        network="wifi",
    )
    for place, (type_, minute, review) in enumerate(noticed):
        _notice(session, place, type_, started + timedelta(minutes=minute), review)


def _notice(session: ExamSession, place: int, type_: str, at: datetime, review: str) -> None:
    Violation.objects.create(
        id=uuid7_at(at),
        workspace_id=session.workspace_id,
        session=session,
        client_id=uuid5(session.pk, str(place)),
        seq=place + 1,
        type=type_,
        severity=VOCABULARY[type_],
        occurred_at=at,
        corrected_at=at,
        received_at=at + timedelta(milliseconds=180),
        last_at=at,
        review=review or Review.NOT_REVIEWED,
        reviewed_by_id=USERS["tia"].id if review else None,
        reviewed_at=at + timedelta(minutes=2) if review else None,
    )
