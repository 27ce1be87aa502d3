"""A session as it is shown: read by one statement for lists, events and beats alike."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from proctoring.liveness import CONNECTION, DEADLINE, STATUS


class SessionRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    exam_id: UUID
    exam: str
    student: str
    student_name: str
    group: str
    attempt: int
    stored_status: str
    status: str
    connection: str
    current_question: int | None
    answered_count: int
    question_count: int | None
    violation_count: int
    low_count: int
    medium_count: int
    high_count: int
    critical_count: int
    unreviewed_count: int
    last_heartbeat: datetime | None
    seen_at: datetime
    started_at: datetime
    ended_at: datetime | None
    end_reason: str
    ends_at: datetime | None
    paused_at: datetime | None
    extra_seconds: int
    lost_seconds: int
    given_back_seconds: int
    hand_raised_at: datetime | None
    hand_note: str
    consent_withdrawn_at: datetime | None
    evidence_removed_at: datetime | None
    is_hidden: bool
    timer_delay_ms: int
    idle_ms: int
    rtt_ms: int | None
    network: str
    skew_ms: int | None
    device: str
    user_agent: str
    is_live: bool
    has_commands: bool
    last_violation_seq: int
    now: datetime


COLUMNS = f"""
    s.id, s.workspace_id, s.exam_id, e.slug, s.student, s.student_name, s."group", s.attempt, s.status, {STATUS},
    {CONNECTION}, p.current_question, p.answered_count, e.question_count, s.violation_count, s.low_count,
    s.medium_count, s.high_count, s.critical_count, s.unreviewed_count, p.last_heartbeat, p.seen_at, s.started_at,
    s.ended_at, s.end_reason, {DEADLINE}, s.paused_at, s.extra_seconds + n.extra_seconds, s.lost_seconds,
    s.given_back_seconds, s.hand_raised_at, s.hand_note, s.consent_withdrawn_at, s.evidence_removed_at, p.is_hidden,
    p.timer_delay_ms, p.idle_ms, p.rtt_ms, p.network, p.skew_ms, p.device, p.user_agent, p.is_live, p.has_commands,
    s.last_violation_seq, now()
"""
FROM = """
    from proctoring_examsession s
    join proctoring_sessionpulse p on p.session_id = s.id
    join proctoring_exam e on e.id = s.exam_id
    join proctoring_enrolment n on n.id = s.enrolment_id
"""
BY_IDS = f"select {COLUMNS} {FROM} where s.id = any(%(ids)s) order by s.id"  # constants


def select(where: str, parameters: Mapping[str, Any]) -> list[SessionRow]:
    """`where` is a constant of the code; values come as parameters."""
    with connection.cursor() as cursor:
        cursor.execute(f"select {COLUMNS} {FROM} {where}", parameters)
        return [SessionRow._make(row) for row in cursor.fetchall()]


def by_ids(ids: Sequence[UUID]) -> list[SessionRow]:
    return select("where s.id = any(%(ids)s) order by s.id", {"ids": list(ids)})


def one(session_id: UUID) -> SessionRow:
    return by_ids([session_id])[0]


def tally(expression: str, where: str, parameters: Mapping[str, Any]) -> dict[str, int]:
    """How many sessions there are of each value; the expression is a constant of the code."""
    with connection.cursor() as cursor:
        cursor.execute(f"select {expression}, count(*) {FROM} {where} group by 1", parameters)
        return dict(cursor.fetchall())


def tally_by_exam(expression: str, exam_ids: Sequence[UUID]) -> dict[tuple[UUID, str], int]:
    """The same for several exams."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select s.exam_id, {expression}, count(*) {FROM} where s.exam_id = any(%(exams)s) group by 1, 2",
            {"exams": list(exam_ids)},
        )
        return {(exam_id, value): count for exam_id, value, count in cursor.fetchall()}
