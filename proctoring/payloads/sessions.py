"""What the outside sees of exams, sessions, violations and commands: one form for REST and live events.

Nothing here depends on who reads. What only tutors may see is left out of the student's form.
"""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from inbox.models import Message
from inbox.payloads import MessagePayload, message_payload
from proctoring.models import Command, Enrolment, Exam, ExamRule, ExamSession, SessionGap, Violation
from proctoring.rows import SessionRow


class PersonPayload(TypedDict):
    id: UUID
    name: str


class SeveritiesPayload(TypedDict):
    low: int
    medium: int
    high: int
    critical: int


class NetworkPayload(TypedDict):
    rtt_ms: int | None
    type: str
    timer_delay_ms: int
    idle_ms: int
    is_hidden: bool


class SessionPayload(TypedDict):
    id: UUID
    exam: str
    student: str
    student_name: str
    group: str
    attempt: int
    status: str  # active, paused, submitted, terminated, expired; disconnected while an active one is silent
    connection: str  # online, idle, hidden, throttled, offline, ended
    current_question: int | None
    answered_count: int
    question_count: int | None
    violation_count: int
    severities: SeveritiesPayload
    unreviewed_count: int
    last_heartbeat: datetime | None
    started_at: datetime
    ended_at: datetime | None
    end_reason: str
    ends_at: datetime | None  # when the time is over, everything given included
    paused_at: datetime | None
    extra_seconds: int
    lost_seconds: int
    given_back_seconds: int
    hand_raised_at: datetime | None
    hand_note: str
    consent_withdrawn_at: datetime | None  # since then nothing is captured
    evidence_removed_at: datetime | None  # its log was past its days; the counts stay
    network: NetworkPayload
    skew_ms: int | None
    user_agent: str


def session_payload(row: SessionRow) -> SessionPayload:
    return {
        "id": row.id,
        "exam": row.exam,
        "student": row.student,
        "student_name": row.student_name,
        "group": row.group,
        "attempt": row.attempt,
        "status": row.status,
        "connection": row.connection,
        "current_question": row.current_question,
        "answered_count": row.answered_count,
        "question_count": row.question_count,
        "violation_count": row.violation_count,
        "severities": {
            "low": row.low_count,
            "medium": row.medium_count,
            "high": row.high_count,
            "critical": row.critical_count,
        },
        "unreviewed_count": row.unreviewed_count,
        "last_heartbeat": row.last_heartbeat,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
        "ends_at": row.ends_at,
        "paused_at": row.paused_at,
        "extra_seconds": row.extra_seconds,
        "lost_seconds": row.lost_seconds,
        "given_back_seconds": row.given_back_seconds,
        "hand_raised_at": row.hand_raised_at,
        "hand_note": row.hand_note,
        "consent_withdrawn_at": row.consent_withdrawn_at,
        "evidence_removed_at": row.evidence_removed_at,
        "network": {
            "rtt_ms": row.rtt_ms,
            "type": row.network,
            "timer_delay_ms": row.timer_delay_ms,
            "idle_ms": row.idle_ms,
            "is_hidden": row.is_hidden,
        },
        "skew_ms": row.skew_ms,
        "user_agent": row.user_agent,
    }


class RulePayload(TypedDict):
    type: str
    is_counted: bool
    severity: str
    threshold: int
    action: str


class ExamPayload(TypedDict):
    id: UUID
    slug: str
    title: str
    supabase_id: UUID | None
    starts_at: datetime | None
    reminder_minutes: list[int]
    ends_at: datetime | None
    closed_at: datetime | None
    duration_seconds: int | None
    question_count: int | None
    attempts: int
    requires_consent: bool
    requires_guardian: bool
    policy_version: str
    keep_violations_days: int
    keep_network_days: int
    keep_chat_days: int
    keep_sessions_days: int
    is_chat_open: bool
    merge_seconds: int
    rules: list[RulePayload]
    tutors: list[PersonPayload]
    summary_url: str
    has_secret: bool
    created_at: datetime
    updated_at: datetime


def rule_payload(rule: ExamRule) -> RulePayload:
    return {
        "type": rule.type,
        "is_counted": rule.is_counted,
        "severity": rule.severity,
        "threshold": rule.threshold,
        "action": rule.action,
    }


def exam_payload(exam: Exam) -> ExamPayload:
    """Reads rules and tutors with their users: `queries.exams.with_parts` selects them."""
    return {
        "id": exam.pk,
        "slug": exam.slug,
        "title": exam.title,
        "supabase_id": exam.supabase_id,
        "starts_at": exam.starts_at,
        "reminder_minutes": exam.reminder_minutes,
        "ends_at": exam.ends_at,
        "closed_at": exam.closed_at,
        "duration_seconds": exam.duration_seconds,
        "question_count": exam.question_count,
        "attempts": exam.attempts,
        "requires_consent": exam.requires_consent,
        "requires_guardian": exam.requires_guardian,
        "policy_version": exam.policy_version,
        "keep_violations_days": exam.keep_violations_days,
        "keep_network_days": exam.keep_network_days,
        "keep_chat_days": exam.keep_chat_days,
        "keep_sessions_days": exam.keep_sessions_days,
        "is_chat_open": exam.is_chat_open,
        "merge_seconds": exam.merge_seconds,
        "rules": [rule_payload(rule) for rule in exam.rules.all()],
        "tutors": [{"id": row.user_id, "name": row.user.display_name} for row in exam.tutors.all()],
        "summary_url": exam.summary_url,
        "has_secret": bool(exam.secrets.get("signing")),
        "created_at": exam.created_at,
        "updated_at": exam.updated_at,
    }


class EnrolmentPayload(TypedDict):
    id: UUID
    user: UUID | None
    external_id: str
    name: str
    group: str
    extra_seconds: int
    attempts: int | None


def enrolment_payload(enrolment: Enrolment) -> EnrolmentPayload:
    """Reads the user."""
    user = enrolment.user
    return {
        "id": enrolment.pk,
        "user": enrolment.user_id,
        "external_id": enrolment.external_id,
        "name": enrolment.name or (user.display_name if user else ""),
        "group": enrolment.group,
        "extra_seconds": enrolment.extra_seconds,
        "attempts": enrolment.attempts,
    }


class OwnViolationPayload(TypedDict):
    id: UUID
    session: UUID
    client_id: UUID
    seq: int | None
    type: str
    severity: str
    source: str
    occurred_at: datetime
    corrected_at: datetime
    received_at: datetime
    skew_ms: int
    late_ms: int  # between its happening and our hearing of it
    detail: dict[str, Any]
    merged_into: UUID | None
    merged_count: int
    last_at: datetime
    review: str
    explanation: str
    explained_at: datetime | None


class ReviewedPayload(TypedDict):
    by: PersonPayload | None
    at: datetime
    reason: str


class ViolationPayload(OwnViolationPayload):
    reviewed: ReviewedPayload | None
    student: str
    student_name: str


def own_violation_payload(violation: Violation) -> OwnViolationPayload:
    """As its student sees it: how it was judged, not by whom and in what words."""
    late = violation.received_at - violation.corrected_at
    return {
        "id": violation.pk,
        "session": violation.session_id,
        "client_id": violation.client_id,
        "seq": violation.seq,
        "type": violation.type,
        "severity": violation.severity,
        "source": violation.source,
        "occurred_at": violation.occurred_at,
        "corrected_at": violation.corrected_at,
        "received_at": violation.received_at,
        "skew_ms": violation.skew_ms,
        "late_ms": max(0, round(late.total_seconds() * 1000)),
        "detail": violation.detail,
        "merged_into": violation.merged_into_id,
        "merged_count": violation.merged_count,
        "last_at": violation.last_at,
        "review": violation.review,
        "explanation": violation.explanation,
        "explained_at": violation.explained_at,
    }


def violation_payload(violation: Violation) -> ViolationPayload:
    """Reads session and reviewed_by: select them."""
    by = violation.reviewed_by
    reviewed: ReviewedPayload | None = None
    if violation.reviewed_at:
        reviewed = {
            "by": {"id": by.pk, "name": by.display_name} if by else None,
            "at": violation.reviewed_at,
            "reason": violation.review_reason,
        }
    return {
        **own_violation_payload(violation),
        "reviewed": reviewed,
        "student": violation.session.student,
        "student_name": violation.session.student_name,
    }


class OwnCommandPayload(TypedDict):
    id: UUID
    session: UUID
    type: str
    body: str
    reason: str
    seconds: int
    is_urgent: bool
    device: str  # the client's own name for itself, where it is for that one alone
    state: str
    from_name: str
    created_at: datetime
    delivered_at: datetime | None
    seen_at: datetime | None
    expires_at: datetime


class CommandPayload(OwnCommandPayload):
    batch: UUID
    by: PersonPayload | None
    student: str
    student_name: str


def own_command_payload(command: Command) -> OwnCommandPayload:
    """Reads created_by and device."""
    by = command.created_by
    return {
        "id": command.pk,
        "session": command.session_id,
        "type": command.type,
        "body": command.body,
        "reason": command.reason,
        "seconds": command.seconds,
        "is_urgent": command.is_urgent,
        "device": command.device.name if command.device else "",
        "state": command.state,
        "from_name": by.display_name if by else "",
        "created_at": command.created_at,
        "delivered_at": command.delivered_at,
        "seen_at": command.seen_at,
        "expires_at": command.expires_at,
    }


def command_payload(command: Command) -> CommandPayload:
    """Reads created_by, device and session."""
    by = command.created_by
    return {
        **own_command_payload(command),
        "batch": command.batch,
        "by": {"id": by.pk, "name": by.display_name} if by else None,
        "student": command.session.student,
        "student_name": command.session.student_name,
    }


class GapPayload(TypedDict):
    id: UUID
    cause: str
    began_at: datetime
    ended_at: datetime
    seconds: int
    given_back_at: datetime | None


def gap_payload(gap: SessionGap) -> GapPayload:
    return {
        "id": gap.pk,
        "cause": gap.cause,
        "began_at": gap.began_at,
        "ended_at": gap.ended_at,
        "seconds": round((gap.ended_at - gap.began_at).total_seconds()),
        "given_back_at": gap.given_back_at,
    }


class ChatMessagePayload(MessagePayload):
    session: UUID
    student_name: str


def chat_message_payload(message: Message, session: ExamSession) -> ChatMessagePayload:
    """As everybody in the room sees it. Reads sender_user; students have no other name than their session's."""
    return {
        **message_payload(message, session.student_name),
        "session": session.pk,
        "student_name": session.student_name,
    }
