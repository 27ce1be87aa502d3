"""What tutors say of a violation, with a trail; what they note themselves; lost time given back."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from config.errors import Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.actors import Caller
from proctoring import access, rows
from proctoring.errors import AlreadyUsed, EvidenceRemoved
from proctoring.events import announce_session, announce_violation
from proctoring.models import Exam, ExamSession, SessionGap, Violation, ViolationReview
from proctoring.services import own_log
from proctoring.services.automatic import release
from proctoring.services.commands import MOST_SESSIONS, Order, issue
from proctoring.services.summaries import make_summary
from proctoring.states import LIVE, CommandType, GapCause, Review, Severity, Source

WHOLE = 60  # given back in whole minutes: nobody loses by rounding


@unit_of_work
def review_violation(*, actor: Caller, slug: str, violation_id: UUID, review: Review, reason: str = "") -> Violation:
    """Its whole burst is judged with it."""
    exam = access.exam_for(actor, slug)
    violation = access.violation_for(actor, exam, violation_id)
    session = access.session_for(actor, exam, violation.session_id, for_update=True)
    for row in _burst(violation):
        _judge(row, actor, review, reason)
    unreviewed = Violation.objects.filter(session=session, review=Review.NOT_REVIEWED).exclude(severity=Severity.INFO)
    ExamSession.objects.filter(pk=session.pk).update(unreviewed_count=unreviewed.count(), updated_at=timezone.now())
    violation = access.violation_for(actor, exam, violation_id)
    announce_violation(violation, exam.slug)
    announce_session(rows.one(session.pk))
    if session.status not in LIVE:
        make_summary(session)
    release(session, violation.type, by=actor.user_id)
    return violation


def _burst(violation: Violation) -> list[Violation]:
    others = Violation.objects.filter(merged_into=violation)
    return list((Violation.objects.filter(pk=violation.pk) | others).select_for_update(no_key=True).order_by("pk"))


def _judge(violation: Violation, actor: Caller, review: Review, reason: str) -> None:
    before = violation.review
    violation.review = review
    violation.reviewed_by_id = actor.user_id
    violation.reviewed_at = timezone.now()
    violation.review_reason = reason
    violation.save(update_fields=["review", "reviewed_by", "reviewed_at", "review_reason"])
    ViolationReview.objects.create(
        workspace_id=violation.workspace_id,
        violation=violation,
        before=before,
        after=review,
        by_id=actor.user_id,
        reason=reason,
    )


@unit_of_work
def note_irregularity(
    *, actor: Caller, slug: str, session_id: UUID, client_id: UUID, severity: Severity, category: str, comment: str
) -> Violation:
    """What a tutor saw with their own eyes."""
    exam = access.exam_for(actor, slug)
    session = access.session_for(actor, exam, session_id, for_update=True)
    if session.evidence_removed_at is not None:
        raise EvidenceRemoved
    noted = own_log.note(
        session,
        "manual_irregularity",
        client_id=client_id,
        at=timezone.now(),
        detail={"category": category, "comment": comment},
        severity=severity,
        source=Source.TUTOR,
        created_by=actor.user_id,
    )
    if noted is None:
        known = Violation.objects.select_related("session", "reviewed_by").get(session=session, client_id=client_id)
        if known.type != "manual_irregularity":
            raise AlreadyUsed
        return known
    announce_session(rows.one(session.pk))
    if session.status not in LIVE:
        make_summary(session)
    return noted


# --- Lost time ----------------------------------------------------------------------------------------------


def compensate(*, actor: Caller, slug: str, session_id: UUID) -> int:
    """All that was lost and not given back yet, in one call. Answers the seconds; 0 when there is nothing."""
    exam = access.exam_for(actor, slug)
    access.session_for(actor, exam, session_id)
    return _compensate(actor, exam, [session_id], uuid4())[session_id]


def compensate_all(*, actor: Caller, slug: str, session_ids: Sequence[UUID] | None) -> dict[UUID, int]:
    """None means every session that takes beats."""
    exam = access.exam_for(actor, slug)
    if session_ids is None:
        session_ids = list(ExamSession.objects.filter(exam=exam, status__in=LIVE).values_list("pk", flat=True))
    elif len(session_ids) > MOST_SESSIONS:
        raise Invalid(errors={"sessions": Said("At most {most} at once.", most=MOST_SESSIONS)})
    elif len(access.sessions_for(actor, exam, session_ids)) < len(set(session_ids)):
        raise NotFound
    wanted, batch = sorted(set(session_ids)), uuid4()
    given: dict[UUID, int] = {}
    for at in range(0, len(wanted), MOST_SESSIONS):
        given |= _compensate(actor, exam, wanted[at : at + MOST_SESSIONS], batch)
    return {session_id: given[session_id] for session_id in dict.fromkeys(session_ids)}


_GIVE = """
update proctoring_examsession s set extra_seconds = s.extra_seconds + given.seconds,
    given_back_seconds = s.given_back_seconds + given.seconds, updated_at = now()
from unnest(%(ids)s::uuid[], %(seconds)s::int[]) as given (id, seconds) where s.id = given.id
"""


@unit_of_work
def _compensate(actor: Caller, exam: Exam, session_ids: Sequence[UUID], batch: UUID) -> dict[UUID, int]:
    """In as many statements for a thousand as for one."""
    sessions = access.sessions_for(actor, exam, session_ids, for_update=True)
    gaps = SessionGap.objects.filter(session__in=list(sessions), given_back_at=None).exclude(cause=GapCause.PAUSE)
    lost: dict[UUID, float] = defaultdict(float)
    for gap in gaps:
        lost[gap.session_id] += (gap.ended_at - gap.began_at).total_seconds()
    owed = {pk: seconds for pk in sessions if (seconds := -(-round(lost[pk]) // WHOLE) * WHOLE)}
    if owed:
        gaps.filter(session__in=list(owed)).update(given_back_at=timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(_GIVE, {"ids": list(owed), "seconds": list(owed.values())})
        order = Order(CommandType.EXTRA_TIME, batch, reason="lost_time")
        told = [(sessions[pk], replace(order, seconds=n)) for pk, n in owed.items() if sessions[pk].status in LIVE]
        issue(told, by=actor.user_id)
        for row in rows.by_ids(list(owed)):
            announce_session(row)
    return {session_id: owed.get(session_id, 0) for session_id in session_ids}
