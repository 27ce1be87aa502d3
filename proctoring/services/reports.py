"""An exam as a sheet. Totals come from the log itself, or from the summary where the log is past its days; cells that a
spreadsheet would run are made harmless."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from config.errors import Invalid
from proctoring import rows
from proctoring.models import Exam, SessionSummary, Violation, ViolationReview
from proctoring.rows import SessionRow
from proctoring.states import Severity

# What a spreadsheet takes for the beginning of a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"  # so that spreadsheets read names in any script

SESSION_COLUMNS = (
    "session",
    "student",
    "student_name",
    "group",
    "attempt",
    "status",
    "end_reason",
    "started_at",
    "ended_at",
    "duration_seconds",
    "answered_count",
    "question_count",
    "violation_count",
    "low",
    "medium",
    "high",
    "critical",
    "confirmed",
    "dismissed",
    "not_reviewed",
    "lost_seconds",
    "given_back_seconds",
    "extra_seconds",
    "consent_withdrawn_at",
    "evidence_removed_at",
)
VIOLATION_COLUMNS = (
    "session",
    "student",
    "student_name",
    "type",
    "severity",
    "source",
    "occurred_at",
    "received_at",
    "skew_ms",
    "review",
    "reviewed_by",
    "reviewed_at",
    "review_reason",
    "explanation",
)


REVIEW_COLUMNS = (
    "session",
    "student",
    "student_name",
    "type",
    "severity",
    "occurred_at",
    "before",
    "after",
    "by",
    "at",
    "reason",
)


def csv_report(exam: Exam, *, student: str = "", of: str = "sessions") -> bytes:
    if of == "violations":
        return _csv(VIOLATION_COLUMNS, violation_lines(exam, student))
    if of == "reviews":
        return _csv(REVIEW_COLUMNS, review_lines(exam, student))
    if of != "sessions":
        raise Invalid(errors={"of": "sessions, violations or reviews."})
    return _csv(SESSION_COLUMNS, [session_line(row, totals) for row, totals in lines_of(exam, student)])


def _csv(columns: tuple[str, ...], lines: Iterable[dict[str, Any]]) -> bytes:
    sheet = io.StringIO()
    sheet.write(BOM)
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(columns)
    for line in lines:
        writer.writerow([harmless(line[column]) for column in columns])
    return sheet.getvalue().encode()


def harmless(value: object) -> object:
    """A quote in front makes text of what a spreadsheet would take for a formula. Numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value


def lines_of(exam: Exam, student: str) -> Iterator[tuple[SessionRow, dict[str, int]]]:
    """Each session with its totals, counted from the log as long as there is one."""
    parameters = {"exam": exam.pk, "student": student}
    found = rows.select(
        "where s.exam_id = %(exam)s and (%(student)s = '' or s.student = %(student)s) order by s.student_name, s.id",
        parameters,
    )
    totals = totals_of(exam)
    removed = SessionSummary.objects.filter(session__exam=exam).exclude(session__evidence_removed_at=None)
    kept = {session_id: _kept(data) for session_id, data in removed.values_list("session_id", "data")}
    for row in found:
        yield row, kept.get(row.id) or totals.get(row.id) or {}


def _kept(summary: Mapping[str, Any]) -> dict[str, int]:
    """Of a session whose log is past its days, verdicts included."""
    return {"all": summary["violation_count"], **summary["severities"], **summary["reviews"]}


def totals_of(exam: Exam) -> dict[UUID, dict[str, int]]:
    """By session: how many of each severity, and of each review of what is not mere info."""
    totals: dict[UUID, dict[str, int]] = {}
    log = Violation.objects.filter(session__exam=exam).values_list("session_id", "severity", "review")
    for session_id, severity, review, count in log.annotate(n=Count("pk")).order_by():
        of = totals.setdefault(session_id, {})
        of[severity] = of.get(severity, 0) + count
        if severity != Severity.INFO:
            of[review] = of.get(review, 0) + count
            of["all"] = of.get("all", 0) + count
    return totals


def session_line(row: SessionRow, totals: dict[str, int]) -> dict[str, Any]:
    ended = row.ended_at or row.now
    return {
        "session": str(row.id),
        "student": row.student,
        "student_name": row.student_name,
        "group": row.group,
        "attempt": row.attempt,
        "status": row.status,
        "end_reason": row.end_reason,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "duration_seconds": round((ended - row.started_at).total_seconds()),
        "answered_count": row.answered_count,
        "question_count": row.question_count,
        "violation_count": totals.get("all", 0),
        "low": totals.get("low", 0),
        "medium": totals.get("medium", 0),
        "high": totals.get("high", 0),
        "critical": totals.get("critical", 0),
        "confirmed": totals.get("violation", 0),
        "dismissed": totals.get("dismissed", 0),
        "not_reviewed": totals.get("not_reviewed", 0),
        "lost_seconds": row.lost_seconds,
        "given_back_seconds": row.given_back_seconds,
        "extra_seconds": row.extra_seconds,
        "consent_withdrawn_at": row.consent_withdrawn_at,
        "evidence_removed_at": row.evidence_removed_at,
    }


def _about(violation: Violation) -> dict[str, Any]:
    return {
        "session": str(violation.session_id),
        "student": violation.session.student,
        "student_name": violation.session.student_name,
        "type": violation.type,
        "severity": violation.severity,
    }


def violation_lines(exam: Exam, student: str) -> Iterator[dict[str, Any]]:
    log = Violation.objects.filter(session__exam=exam).select_related("session", "reviewed_by")
    if student:
        log = log.filter(session__student=student)
    for violation in log.order_by("session_id", "corrected_at", "pk").iterator(2_000):
        by = violation.reviewed_by
        yield {
            **_about(violation),
            "source": violation.source,
            "occurred_at": violation.corrected_at,
            "received_at": violation.received_at,
            "skew_ms": violation.skew_ms,
            "review": violation.review,
            "reviewed_by": by.display_name if by else "",
            "reviewed_at": violation.reviewed_at,
            "review_reason": violation.review_reason,
            "explanation": violation.explanation,
        }


def review_lines(exam: Exam, student: str) -> Iterator[dict[str, Any]]:
    """Every change of every review, in the order in which they were made."""
    trail = ViolationReview.objects.filter(violation__session__exam=exam).select_related("violation__session", "by")
    if student:
        trail = trail.filter(violation__session__student=student)
    for change in trail.order_by("pk").iterator(2_000):
        violation = change.violation
        yield {
            **_about(violation),
            "occurred_at": violation.corrected_at,
            "before": change.before,
            "after": change.after,
            "by": change.by.display_name if change.by else "",
            "at": change.at,
            "reason": change.reason,
        }
