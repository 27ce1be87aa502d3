"""What tutors say of a violation, with a trail; what they note themselves; lost time given back."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.db.models import F
from django.utils import timezone

from config.errors import Invalid
from config.live.unit import unit_of_work
from crm.actors import Caller
from proctoring import access, rows
from proctoring.errors import AlreadyUsed, EvidenceRemoved
from proctoring.events import announce_session, announce_violation
from proctoring.models import ExamSession, SessionGap, Violation, ViolationReview
from proctoring.services import own_log
from proctoring.services.automatic import release
from proctoring.services.commands import issue
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
    return list((Violation.objects.filter(pk=violation.pk) | others).select_for_update().order_by("pk"))


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


@unit_of_work
def compensate(*, actor: Caller, slug: str, session_id: UUID, batch: UUID | None = None) -> int:
    """All that was lost and not given back yet, in one call. Answers the seconds; 0 when there is nothing."""
    exam = access.exam_for(actor, slug)
    session = access.session_for(actor, exam, session_id, for_update=True)
    open_gaps = list(
        SessionGap.objects.select_for_update().filter(session=session, given_back_at=None).exclude(cause=GapCause.PAUSE)
    )
    lost = sum((gap.ended_at - gap.began_at).total_seconds() for gap in open_gaps)
    seconds = -(-round(lost) // WHOLE) * WHOLE
    if not seconds:
        return 0
    now = timezone.now()
    SessionGap.objects.filter(pk__in=[gap.pk for gap in open_gaps]).update(given_back_at=now)
    ExamSession.objects.filter(pk=session.pk).update(
        extra_seconds=F("extra_seconds") + seconds,
        given_back_seconds=F("given_back_seconds") + seconds,
        updated_at=now,
    )
    if session.status in LIVE:
        issue(
            session,
            CommandType.EXTRA_TIME,
            batch=batch,
            seconds=seconds,
            reason="lost_time",
            created_by=actor.user_id,
        )
    announce_session(rows.one(session.pk))
    return seconds


def compensate_all(*, actor: Caller, slug: str, session_ids: Sequence[UUID] | None) -> dict[UUID, int]:
    """A unit of work for each. None means every session that takes beats."""
    exam = access.exam_for(actor, slug)
    if session_ids is None:
        session_ids = list(ExamSession.objects.filter(exam=exam, status__in=LIVE).values_list("pk", flat=True))
    if len(session_ids) > 1_000:
        raise Invalid(errors={"sessions": "At most 1000 at once."})
    batch = uuid4()
    return {one: compensate(actor=actor, slug=slug, session_id=one, batch=batch) for one in session_ids}
