"""A student's sitting: started or taken up again, handed in, and every other move between its states."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from config.errors import DomainError
from config.live.unit import unit_of_work
from crm import features
from crm.features import Feature
from proctoring import access, rows
from proctoring.errors import ExamNotOpen, NoAttemptsLeft, SessionEnded, WrongMove
from proctoring.events import announce_session
from proctoring.models import Enrolment, Exam, ExamSession, SessionGap, SessionPulse
from proctoring.people import Student
from proctoring.rows import SessionRow
from proctoring.services import consent, devices
from proctoring.services.consent import Consent
from proctoring.services.summaries import make_summaries
from proctoring.states import LIVE, GapCause, SessionStatus, can_move

# What was written in the last seconds is handed in, however slow the road
GRACE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Start:
    """What a client says when it starts."""

    device: str = ""
    user_agent: str = ""
    consent: Consent | None = None


@unit_of_work
def start_session(*, student: Student, slug: str, start: Start) -> tuple[SessionRow, bool]:
    """The session, and whether this call made it. A live one is gone on with, as is one that expired while its time
    is not over. The enrolment's lock makes one of two starts the second."""
    enrolment = access.enrolment_for(student, slug, for_update=True)
    latest = (
        ExamSession.objects.select_for_update(of=("self",), no_key=True)
        .filter(enrolment=enrolment)
        .order_by("-attempt")
        .first()
    )
    if latest is not None and _goes_on(latest):
        devices.check(latest, start.device)
        _resume(latest, start)
        return _announced(latest.pk), False
    features.check(enrolment.workspace_id, Feature.PROCTORING)  # whoever sits one already finishes it
    _check_may_start(enrolment, latest)
    session = _create(enrolment, student, latest.attempt + 1 if latest else 1, start)
    return _announced(session.pk, created=True), True


def _goes_on(session: ExamSession) -> bool:
    if session.status in LIVE:
        return True
    if session.status != SessionStatus.EXPIRED or not _is_open(session.exam):
        return False
    row = rows.one(session.pk)
    return row.ends_at is None or row.now < row.ends_at


def _is_open(exam: Exam, extra: timedelta = timedelta()) -> bool:
    now = timezone.now()
    begun = exam.starts_at is None or exam.starts_at <= now
    return begun and exam.closed_at is None and (exam.ends_at is None or now < exam.ends_at + extra)


def _check_may_start(enrolment: Enrolment, latest: ExamSession | None) -> None:
    exam = enrolment.exam
    if not _is_open(exam, timedelta(seconds=enrolment.extra_seconds)):
        raise ExamNotOpen(starts_at=exam.starts_at, ends_at=exam.closed_at or exam.ends_at)
    most = enrolment.attempts or exam.attempts
    if latest is not None and latest.attempt >= most:
        raise NoAttemptsLeft(session=latest.pk, session_status=latest.status)


def _create(enrolment: Enrolment, student: Student, attempt: int, start: Start) -> ExamSession:
    exam = enrolment.exam
    consent.check(exam, start.consent)
    user = enrolment.user
    session = ExamSession.objects.create(
        workspace_id=enrolment.workspace_id,
        exam=exam,
        enrolment=enrolment,
        attempt=attempt,
        student_user=user,
        student=str(user.pk) if user else enrolment.external_id,
        student_name=enrolment.name or (user.display_name if user else student.name),
        group=enrolment.group,
    )
    SessionPulse.objects.create(
        session=session, workspace_id=session.workspace_id, device=start.device, user_agent=start.user_agent
    )
    devices.keep(session, start.device, start.user_agent)
    consent.keep(session, start.consent)
    return session


def _resume(session: ExamSession, start: Start) -> None:
    if session.status == SessionStatus.EXPIRED:
        session.status, session.ended_at, session.end_reason = SessionStatus.ACTIVE, None, ""
        session.save(update_fields=["status", "ended_at", "end_reason", "updated_at"])
    if session.consent_withdrawn_at is not None:  # a page that agrees with every load must not undo what was said
        start = replace(start, consent=None, device="", user_agent="")
    consent.keep(session, start.consent)
    devices.keep(session, start.device, start.user_agent)
    devices.note_if_second(session, start.device)
    SessionPulse.objects.filter(pk=session.pk).update(
        is_live=True,
        seen_at=Now(),
        client_seq=0,
        device=start.device or F("device"),
        user_agent=start.user_agent or F("user_agent"),
    )


def _announced(session_id: UUID, *, created: bool = False) -> SessionRow:
    row = rows.one(session_id)
    announce_session(row, created=created)
    return row


# --- Moves --------------------------------------------------------------------------------------------------


@unit_of_work
def end_session(
    *, student: Student, session_id: UUID, current_question: int | None = None, answered_count: int | None = None
) -> SessionRow:
    """Handed in. Handing in twice is once; what a tutor ended stays ended."""
    session = access.own_session(student, session_id, for_update=True)
    if session.status == SessionStatus.SUBMITTED:
        return rows.one(session.pk)
    counts: dict[str, int] = {}
    if current_question is not None:
        counts["current_question"] = current_question
    if answered_count is not None:
        counts["answered_count"] = answered_count
    if counts:
        SessionPulse.objects.filter(pk=session.pk).update(**counts)
    return move(session, SessionStatus.SUBMITTED)


def move(session: ExamSession, to: SessionStatus, *, reason: str = "", at: datetime | None = None) -> SessionRow:
    """One state move of a locked session, told to everybody. Inside a unit of work."""
    if refused := refusal(session, to):
        raise refused
    return move_all([session], to, reason=reason, at=at)[0]


def refusal(session: ExamSession, to: SessionStatus) -> DomainError | None:
    """Why a session cannot be moved there."""
    if can_move(session.status, to):
        return None
    return (WrongMove if session.status in LIVE else SessionEnded)(session_status=session.status)


def move_all(
    sessions: Sequence[ExamSession], to: SessionStatus, *, reason: str = "", at: datetime | None = None
) -> list[SessionRow]:
    """The same move of several of one exam, in as many statements as for one: locked in order of their ids, and
    `refusal` has none for any. Inside a unit of work."""
    if not sessions:
        return []
    now = at or timezone.now()
    if to != SessionStatus.PAUSED:
        _end_pauses(sessions, now)
    changes = {
        "status": to,
        "paused_at": now if to == SessionStatus.PAUSED else None,
        "ended_at": None if to in LIVE else now,
        "end_reason": "" if to in LIVE else reason,
    }
    for session in sessions:
        for name, value in changes.items():
            setattr(session, name, value)
    ids = [session.pk for session in sessions]
    ExamSession.objects.filter(pk__in=ids).update(**changes, updated_at=timezone.now())
    # Whoever was paused has the time of two beats to come back
    change_pulses(ids, **({"is_live": True, "seen_at": Now()} if to in LIVE else {"is_live": False}))
    if to not in LIVE:
        make_summaries(sessions)
    found = rows.by_ids(ids)
    for row in found:
        announce_session(row)
    return found


def change_pulses(ids: Sequence[UUID], **changes: Any) -> None:
    """In the order in which beats lock them: two that change the same ones then wait, and don't deadlock."""
    pulses = SessionPulse.objects.filter(pk__in=ids)
    list(pulses.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    pulses.update(**changes)


# A pause takes nothing of the student's time: the ledger shows it, the deadline has moved by it
_UNPAUSE = """
update proctoring_examsession s set paused_seconds = s.paused_seconds + given.seconds
from unnest(%(ids)s::uuid[], %(seconds)s::int[]) as given (id, seconds) where s.id = given.id
"""


def _end_pauses(sessions: Sequence[ExamSession], now: datetime) -> None:
    gaps = []
    for session in sessions:
        if session.paused_at is None:
            continue
        until = max(now, session.paused_at)
        gaps.append(
            SessionGap(
                workspace_id=session.workspace_id,
                session=session,
                cause=GapCause.PAUSE,
                began_at=session.paused_at,
                ended_at=until,
                given_back_at=until,
            )
        )
        session.paused_seconds += _seconds(gaps[-1])
    if not gaps:
        return
    SessionGap.objects.bulk_create(gaps, ignore_conflicts=True)
    with connection.cursor() as cursor:
        cursor.execute(_UNPAUSE, {"ids": [gap.session_id for gap in gaps], "seconds": [_seconds(gap) for gap in gaps]})


def _seconds(gap: SessionGap) -> int:
    return round((gap.ended_at - gap.began_at).total_seconds())


@unit_of_work
def raise_hand(*, student: Student, session_id: UUID, is_raised: bool, note: str = "") -> SessionRow:
    session = access.own_session(student, session_id, for_update=True)
    if session.status not in LIVE:
        raise SessionEnded(session_status=session.status)
    session.hand_raised_at = (session.hand_raised_at or timezone.now()) if is_raised else None
    session.hand_note = note if is_raised else ""
    session.save(update_fields=["hand_raised_at", "hand_note", "updated_at"])
    return _announced(session.pk)
