"""Reads of exams, their sessions and logs. No writes."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Now

from config.errors import Invalid
from config.live.events import head
from crm.actors import Actor
from crm.models import Member as Membership
from crm.models import User
from crm.places import Place
from crm.roles import Action, Role, is_allowed
from proctoring import access, rows
from proctoring.liveness import STATUS
from proctoring.models import (
    Command,
    ConsentRecord,
    Enrolment,
    Exam,
    ExamRule,
    ExamSession,
    SessionDevice,
    SessionGap,
    SessionPulse,
    Violation,
    ViolationReview,
)
from proctoring.people import Student
from proctoring.rows import SessionRow
from proctoring.states import SHOWN_STATUSES, CommandType, SessionStatus

MOST_TO_SIT = 10


def exams_to_sit(user_id: UUID) -> list[Place]:
    """The newest that the person is enrolled in and that have not ended, for whoever has no other page."""
    found = access.enrolments_of(Student(user_id=user_id)).filter(exam__closed_at=None)
    open_ones = found.filter(Q(exam__ends_at=None) | Q(exam__ends_at__gt=Now())).order_by("-exam_id")[:MOST_TO_SIT]
    return [Place(title, f"/exam/{slug}") for title, slug in open_ones.values_list("exam__title", "exam__slug")]


def with_parts(found: QuerySet[Exam]) -> QuerySet[Exam]:
    return found.prefetch_related(
        Prefetch("rules", ExamRule.objects.order_by("type")),
        Prefetch("tutors", access.current_tutors().select_related("user").order_by("pk")),
    )


def list_exams(actor: Actor) -> QuerySet[Exam]:
    return with_parts(access.visible_exams(actor))


def get_exam(exam: Exam) -> Exam:
    """With its rules and tutors."""
    return with_parts(Exam.objects.filter(pk=exam.pk)).get()


def live_of(topic: str) -> dict[str, Any]:
    """Read this before the state: what happens in between is then applied again, which is harmless."""
    return {"topic": topic, "seq": head(topic)}


# --- Sessions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Empty fields do not narrow."""

    student: str = ""
    status: str = ""
    search: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class SessionPage:
    rows: list[SessionRow]
    next: str | None  # cursors
    previous: str | None


_LIST = f"""
    where s.exam_id = %(exam)s
        and (%(student)s = '' or s.student = %(student)s)
        and (%(status)s = '' or {STATUS} = %(status)s)
        and (%(group)s = '' or s."group" = %(group)s)
        and (%(search)s = '' or s.student_name ilike %(like)s or s.student = %(search)s)
        and (%(after)s::uuid is null or s.id > %(after)s::uuid)
        and (%(before)s::uuid is null or s.id < %(before)s::uuid)
"""


def list_sessions(exam: Exam, wanted: SessionFilter, *, cursor: str | None, limit: int) -> SessionPage:
    """In the order in which they began."""
    if wanted.status and wanted.status not in SHOWN_STATUSES:
        raise Invalid(errors={"status": f"One of {', '.join(SHOWN_STATUSES)}."})
    backwards, position = _position(cursor)
    parameters = {
        "exam": exam.pk,
        "student": wanted.student,
        "status": wanted.status,
        "group": wanted.group,
        "search": wanted.search,
        "like": f"%{_escaped(wanted.search)}%",
        "after": None if backwards else position,
        "before": position if backwards else None,
        "limit": limit + 1,
    }
    order = "order by s.id desc limit %(limit)s" if backwards else "order by s.id limit %(limit)s"
    found = rows.select(f"{_LIST} {order}", parameters)
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    has_next, has_previous = (True, more) if backwards else (more, position is not None)
    return SessionPage(
        found,
        _cursor(found[-1].id, backwards=False) if found and has_next else None,
        _cursor(found[0].id, backwards=True) if found and has_previous else None,
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _cursor(session_id: UUID, *, backwards: bool) -> str:
    return base64.urlsafe_b64encode(bytes([backwards]) + session_id.bytes).decode().rstrip("=")


def _position(cursor: str | None) -> tuple[bool, UUID | None]:
    if not cursor:
        return False, None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return bool(raw[0]), UUID(bytes=raw[1:])
    except (ValueError, IndexError, binascii.Error):
        raise Invalid("The cursor is not one of ours.", errors={"cursor": "Start again without it."}) from None


def session_counts(exam: Exam) -> dict[str, int]:
    """How many sessions are shown as what."""
    found = rows.tally(STATUS, "where s.exam_id = %(exam)s", {"exam": exam.pk})
    return {status: found.get(status, 0) for status in SHOWN_STATUSES}


def counts_of_exams(exams: Sequence[Exam]) -> dict[UUID, dict[str, int]]:
    """The same of many at once."""
    found = rows.tally_by_exam(STATUS, [exam.pk for exam in exams])
    return {exam.pk: {status: found.get((exam.pk, status), 0) for status in SHOWN_STATUSES} for exam in exams}


def reason_of_pause(row: SessionRow) -> str:
    """Of one that stands still: what its student was told, also to whoever comes back to the page."""
    if row.stored_status != SessionStatus.PAUSED:
        return ""
    pauses = Command.objects.filter(session=row.id, type=CommandType.PAUSE).order_by("-pk")
    return pauses.values_list("reason", flat=True).first() or ""


def get_row(session_id: UUID) -> SessionRow:
    return rows.one(session_id)


def trail_of(session_id: UUID) -> list[dict[str, int | None]]:
    """The newest beats, oldest first: when, and the round trip."""
    found = SessionPulse.objects.filter(pk=session_id).values_list("trail_at", "trail_rtt").first()
    if found is None:
        return []
    return [{"at": at, "rtt_ms": None if rtt < 0 else rtt} for at, rtt in zip(*found, strict=False)]


def violations_of(session: ExamSession) -> QuerySet[Violation]:
    return Violation.objects.filter(session=session).select_related("session", "reviewed_by")


def violations_of_exam(exam: Exam) -> QuerySet[Violation]:
    return Violation.objects.filter(session__exam=exam).select_related("session", "reviewed_by")


def commands_of(exam: Exam) -> QuerySet[Command]:
    return Command.objects.filter(session__exam=exam).select_related("session", "created_by", "device")


def gaps_of(session: ExamSession) -> QuerySet[SessionGap]:
    return SessionGap.objects.filter(session=session).order_by("began_at", "pk")


def narrowed(found: QuerySet[Violation], given: Mapping[str, Any]) -> QuerySet[Violation]:
    """By severities, types, review, session; `merged` shows bursts by their first entry alone."""
    if given.get("severity"):
        found = found.filter(severity__in=given["severity"])
    if given.get("type"):
        found = found.filter(type__in=given["type"])
    if given.get("review"):
        found = found.filter(review=given["review"])
    if given.get("session"):
        found = found.filter(session_id=given["session"])
    if given.get("merged"):
        found = found.filter(merged_into=None)
    return found


def enrolments_of(exam: Exam, *, search: str = "") -> QuerySet[Enrolment]:
    rows = Enrolment.objects.filter(exam=exam, revoked_at=None).select_related("user").order_by("-pk")
    if wanted := search.strip():
        of_user = Q(user__name__icontains=wanted) | Q(user__email__icontains=wanted)
        rows = rows.filter(of_user | Q(name__icontains=wanted) | Q(external_id__icontains=wanted))
    return rows


def possible_tutors(exam: Exam, *, but: Sequence[UUID]) -> list[User]:
    """Members who may proctor."""
    roles = [role for role in Role if is_allowed(role, Action.PROCTOR)]
    rows = Membership.objects.filter(workspace_id=exam.workspace_id, role__in=roles, user__deactivated_at=None)
    return [row.user for row in rows.exclude(user__in=but).select_related("user").order_by("user__name", "id")[:500]]


def devices_of(session: ExamSession) -> QuerySet[SessionDevice]:
    return SessionDevice.objects.filter(session=session).order_by("first_seen_at", "pk")


def consents_of(session: ExamSession) -> list[dict[str, Any]]:
    found = ConsentRecord.objects.filter(session=session).order_by("given_at", "pk")
    return [dict(row) for row in found.values("policy_version", "has_guardian", "given_at", "withdrawn_at")]


def review_trail(violation: Violation) -> list[dict[str, Any]]:
    """Every change of its review, oldest first."""
    found = ViolationReview.objects.filter(violation=violation).select_related("by").order_by("pk")
    return [
        {
            "before": row.before,
            "after": row.after,
            "by": {"id": row.by.pk, "name": row.by.display_name} if row.by else None,
            "reason": row.reason,
            "at": row.at,
        }
        for row in found
    ]
