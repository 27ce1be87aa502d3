"""What we note of a session ourselves: lost and restored connections, a second device, a tutor's observation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from proctoring.events import announce_violation
from proctoring.models import ExamSession, Violation
from proctoring.states import VOCABULARY, Severity, Source

COUNTED = {
    Severity.LOW: "low_count",
    Severity.MEDIUM: "medium_count",
    Severity.HIGH: "high_count",
    Severity.CRITICAL: "critical_count",
}


def note(
    session: ExamSession,
    type_: str,
    *,
    client_id: UUID,
    at: datetime,
    detail: Mapping[str, Any],
    severity: Severity | None = None,
    source: Source = Source.SERVER,
    created_by: UUID | None = None,
) -> Violation | None:
    """None when it was noted before. Inside a unit of work; reads `session.exam`. The caller tells of the session."""
    severity = severity or VOCABULARY[type_]
    violation = Violation(
        workspace_id=session.workspace_id,
        session=session,
        client_id=client_id,
        type=type_,
        severity=severity,
        source=source,
        occurred_at=at,
        corrected_at=at,
        last_at=at,
        detail=dict(detail),
        created_by_id=created_by,
    )
    Violation.objects.bulk_create([violation], ignore_conflicts=True)
    stored = Violation.objects.select_related("session", "reviewed_by").filter(pk=violation.pk).first()
    if stored is None:
        return None
    count(session, [severity])
    announce_violation(stored, session.exam.slug, created=True)
    return stored


def count(session: ExamSession, severities: list[Severity]) -> None:
    """Info is no violation and is not counted."""
    counted = [severity for severity in severities if severity in COUNTED]
    if not counted:
        return
    changes = {COUNTED[severity]: F(COUNTED[severity]) + counted.count(severity) for severity in set(counted)}
    ExamSession.objects.filter(pk=session.pk).update(
        violation_count=F("violation_count") + len(counted),
        unreviewed_count=F("unreviewed_count") + len(counted),
        **changes,
    )
