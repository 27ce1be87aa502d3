"""That a student agrees to be watched: asked for at the start, withdrawn at any time, given again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from config.live.unit import unit_of_work
from crm.ids import uuid7
from proctoring import access, rows
from proctoring.errors import ConsentRequired, SessionEnded
from proctoring.events import announce_session
from proctoring.models import ConsentRecord, Exam, ExamSession, SessionPulse
from proctoring.people import Student
from proctoring.rows import SessionRow
from proctoring.services import own_log
from proctoring.services.summaries import make_summary
from proctoring.states import LIVE


@dataclass(frozen=True, slots=True)
class Consent:
    policy_version: str
    has_guardian: bool = False


def check(exam: Exam, consent: Consent | None) -> None:
    agreed = consent is not None and consent.policy_version == exam.policy_version
    if exam.requires_consent and not agreed:
        raise ConsentRequired(policy_version=exam.policy_version)
    if exam.requires_guardian and not (consent and consent.has_guardian):
        raise ConsentRequired("A parent or guardian has to agree too.", policy_version=exam.policy_version)


def keep(session: ExamSession, consent: Consent | None) -> None:
    if consent is not None:
        ConsentRecord.objects.get_or_create(
            session=session,
            policy_version=consent.policy_version,
            withdrawn_at=None,
            defaults={"workspace_id": session.workspace_id, "has_guardian": consent.has_guardian},
        )


@unit_of_work
def withdraw(*, student: Student, session_id: UUID) -> SessionRow:
    """From now on nothing is captured; the sitting goes on, and what becomes of it is for its tutors to say. Again
    changes nothing. Also who was never asked may object, and so may who has handed in."""
    session = access.own_session(student, session_id, for_update=True)
    if session.consent_withdrawn_at is not None:
        return rows.one(session.pk)
    now = timezone.now()
    ConsentRecord.objects.filter(session=session, withdrawn_at=None).update(withdrawn_at=now)
    # What stood there of this moment is shown live: it goes at once
    SessionPulse.objects.filter(pk=session.pk).update(
        is_hidden=False, timer_delay_ms=0, idle_ms=0, rtt_ms=None, network=""
    )
    return _marked(session, "consent_withdrawn", now, withdrawn_at=now)


@unit_of_work
def give(*, student: Student, session_id: UUID, consent: Consent) -> SessionRow:
    """Agreed again, to the rules as they are now. Again changes nothing."""
    session = access.own_session(student, session_id, for_update=True)
    if session.status not in LIVE:
        raise SessionEnded(session_status=session.status)
    if consent.policy_version != session.exam.policy_version:
        raise ConsentRequired(policy_version=session.exam.policy_version)
    check(session.exam, consent)
    keep(session, consent)
    if session.consent_withdrawn_at is None:
        return rows.one(session.pk)
    return _marked(session, "consent_given", timezone.now(), withdrawn_at=None)


def _marked(session: ExamSession, type_: str, at: datetime, *, withdrawn_at: datetime | None) -> SessionRow:
    session.consent_withdrawn_at = withdrawn_at
    session.save(update_fields=["consent_withdrawn_at", "updated_at"])
    own_log.note(session, type_, client_id=uuid7(), at=at, detail={"policy_version": session.exam.policy_version})
    if session.status not in LIVE:
        make_summary(session)
    row = rows.one(session.pk)
    announce_session(row)
    return row


@dataclass(frozen=True, slots=True)
class Withdrawal:
    since: datetime
    until: datetime | None  # agreed again


def withdrawals_of(session: ExamSession) -> list[Withdrawal]:
    """The times in which nothing may be captured."""
    found = list(ConsentRecord.objects.filter(session=session).order_by("given_at", "pk"))
    ended = [at for record in found if (at := record.withdrawn_at) is not None]
    again = [next((one.given_at for one in found if one.given_at >= at), None) for at in ended]
    past = [Withdrawal(since, until) for since, until in zip(ended, again, strict=True) if until is not None]
    standing = session.consent_withdrawn_at
    return [*past, Withdrawal(standing, None)] if standing else past
