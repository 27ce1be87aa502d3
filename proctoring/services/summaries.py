"""What stays of an ended session: totals that agree with its log, kept and pushed back to the exam system."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone

from jobs.queue import NewJob, enqueue_many
from proctoring import rows
from proctoring.models import ExamSession, SessionSummary, Violation
from proctoring.rows import SessionRow
from proctoring.services.archiving import archive_summaries
from proctoring.states import Severity

# What is counted from the log
COUNTED = ("violation_count", "severities", "types", "reviews")


def make_summary(session: ExamSession) -> None:
    """Made anew whenever something in it changed; the exam system gets the newest. Inside a unit of work, with the
    session locked."""
    make_summaries([session])


def make_summaries(sessions: Sequence[ExamSession]) -> None:
    """Of one exam, in as many statements as for one."""
    if not sessions:
        return
    data = _counted(sessions)
    kept = {
        summary.session_id: summary
        for summary in SessionSummary.objects.select_for_update(no_key=True)
        .filter(session__in=list(data))
        .order_by("pk")
    }
    new, changed = [], []
    for session in sessions:
        fresh = data[session.pk]
        summary = kept.get(session.pk)
        if summary is None:
            new.append(
                SessionSummary(
                    workspace_id=session.workspace_id,
                    session=session,
                    data=fresh,
                    duration_seconds=fresh["duration_seconds"],
                )
            )
            continue
        if session.evidence_removed_at is not None:  # there is no log any more to count
            fresh |= {name: summary.data[name] for name in COUNTED}
        if summary.data == fresh:
            continue
        summary.data, summary.duration_seconds = fresh, fresh["duration_seconds"]
        summary.version += 1
        summary.updated_at = timezone.now()
        changed.append(summary)
    SessionSummary.objects.bulk_create(new)
    SessionSummary.objects.bulk_update(changed, ["data", "duration_seconds", "version", "updated_at"])
    if sessions[0].exam.summary_url:
        enqueue_many([_push(summary) for summary in (*new, *changed)])
    archive_summaries([*new, *changed])


def _push(summary: SessionSummary) -> NewJob:
    return NewJob(
        "proctoring.push_summary",
        key=f"exam-summary:{summary.pk}:{summary.version}",
        lane=f"exam-summary:{summary.session_id}",
        workspace_id=summary.workspace_id,
        payload={"summary_id": str(summary.pk)},
    )


def _counted(sessions: Sequence[ExamSession]) -> dict[UUID, dict[str, Any]]:
    """By session. From the log itself, not from the counters beside it."""
    log = Violation.objects.filter(session__in=sessions)
    severities = _by_session(log, "severity")
    types = _by_session(log, "type")
    reviews = _by_session(log.exclude(severity=Severity.INFO), "review")
    return {
        row.id: _data(row, severities[row.id], types[row.id], reviews[row.id])
        for row in rows.by_ids([session.pk for session in sessions])
    }


def _by_session(log: QuerySet[Violation], field: str) -> dict[UUID, dict[str, int]]:
    """How often each value of the field stands in each session's log."""
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for session_id, value, count in log.values_list("session", field).annotate(n=Count("pk")).order_by(field):
        found[session_id][value] = count
    return found


def _data(
    row: SessionRow, severities: dict[str, int], types: dict[str, int], reviews: dict[str, int]
) -> dict[str, Any]:
    ended = row.ended_at or row.now
    return {
        "session": str(row.id),
        "exam": row.exam,
        "student": row.student,
        "student_name": row.student_name,
        "attempt": row.attempt,
        "status": row.stored_status,
        "end_reason": row.end_reason,
        "started_at": row.started_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "duration_seconds": max(0, round((ended - row.started_at).total_seconds())),
        "answered_count": row.answered_count,
        "question_count": row.question_count,
        "violation_count": sum(count for severity, count in severities.items() if severity != Severity.INFO),
        "severities": {severity: severities.get(severity, 0) for severity in Severity.values},
        "types": types,
        "reviews": reviews,
        "lost_seconds": row.lost_seconds,
        "given_back_seconds": row.given_back_seconds,
        "extra_seconds": row.extra_seconds,
        "consent_withdrawn_at": row.consent_withdrawn_at.isoformat() if row.consent_withdrawn_at else None,
    }
