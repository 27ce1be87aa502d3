"""What stays of an ended session: totals that agree with its log, kept and pushed back to the exam system."""

from typing import Any

from django.db.models import Count

from jobs.queue import enqueue
from proctoring import rows
from proctoring.models import ExamSession, SessionSummary, Violation
from proctoring.services.archiving import archive_summary
from proctoring.states import Severity

# What is counted from the log
COUNTED = ("violation_count", "severities", "types", "reviews")


def make_summary(session: ExamSession) -> SessionSummary:
    """Made anew whenever something in it changed; the exam system gets the newest. Inside a unit of work."""
    data = summary_data(session)
    summary, created = SessionSummary.objects.select_for_update().get_or_create(
        session=session,
        defaults={
            "workspace_id": session.workspace_id,
            "data": data,
            "duration_seconds": data["duration_seconds"],
        },
    )
    if not created:
        if session.evidence_removed_at is not None:  # there is no log any more to count
            data |= {name: summary.data[name] for name in COUNTED}
        if summary.data == data:
            return summary
        summary.data, summary.duration_seconds = data, data["duration_seconds"]
        summary.version += 1
        summary.save(update_fields=["data", "duration_seconds", "version", "updated_at"])
    if session.exam.summary_url:
        enqueue(
            "proctoring.push_summary",
            key=f"exam-summary:{summary.pk}:{summary.version}",
            lane=f"exam-summary:{session.pk}",
            workspace_id=session.workspace_id,
            payload={"summary_id": str(summary.pk)},
        )
    archive_summary(summary)
    return summary


def summary_data(session: ExamSession) -> dict[str, Any]:
    """From the log itself, not from the counters beside it."""
    row = rows.one(session.pk)
    found = Violation.objects.filter(session=session)
    severities = dict(found.values_list("severity").annotate(n=Count("pk")).order_by())
    types = dict(found.values_list("type").annotate(n=Count("pk")).order_by("type"))
    reviews = dict(found.exclude(severity=Severity.INFO).values_list("review").annotate(n=Count("pk")).order_by())
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
