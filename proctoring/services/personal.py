"""Everything that is kept of one student in one exam: handed out, or erased."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm.actors import Actor
from crm.services import audit
from inbox.models import Conversation, Message
from proctoring import access, rows
from proctoring.models import Command, Enrolment, Exam, ExamRoom, ExamSession, SessionGap, Violation
from proctoring.payloads.devices import device_payload
from proctoring.payloads.sessions import (
    chat_message_payload,
    enrolment_payload,
    gap_payload,
    own_command_payload,
    own_violation_payload,
    session_payload,
)
from proctoring.queries import exams as queries
from proctoring.states import CommandType


def export_student(*, actor: Actor, slug: str, student: str) -> dict[str, Any]:
    exam = access.exam_for(actor, slug)
    enrolments = _enrolments(exam, student)
    sessions = ExamSession.objects.filter(exam=exam, enrolment__in=enrolments).select_related("exam").order_by("pk")
    if not enrolments:
        raise NotFound
    return {
        "exam": exam.slug,
        "student": student,
        "enrolments": [enrolment_payload(row) for row in enrolments],
        "sessions": [_session(session) for session in sessions],
    }


def _enrolments(exam: Exam, student: str) -> list[Enrolment]:
    found = Enrolment.objects.filter(exam=exam).select_related("user")
    return [row for row in found if student in {str(row.user_id), row.external_id}]


def _session(session: ExamSession) -> dict[str, Any]:
    rooms = ExamRoom.objects.filter(session=session).values("conversation_id")
    messages = Message.objects.filter(conversation__in=rooms).order_by("pk")
    commands = Command.objects.filter(session=session).exclude(type=CommandType.NOTE)
    return {
        **session_payload(rows.one(session.pk)),
        "violations": [own_violation_payload(row) for row in Violation.objects.filter(session=session).order_by("pk")],
        "commands": [
            own_command_payload(row) for row in commands.select_related("created_by", "device").order_by("pk")
        ],
        "devices": [device_payload(row) for row in queries.devices_of(session)],
        "gaps": [gap_payload(row) for row in SessionGap.objects.filter(session=session).order_by("began_at")],
        "consents": queries.consents_of(session),
        "chat": [chat_message_payload(row, session) for row in messages.select_related("sender_user")],
    }


def _held(enrolments: Sequence[Enrolment], sessions: QuerySet[ExamSession]) -> list[UUID]:
    """Locked before anything of them goes: nobody starts meanwhile, and what a student's page is just telling comes
    before that or is refused. The enrolments with their key only once they go: whoever holds a session may still
    refer to its enrolment, and would wait for us as we wait for them."""
    list(Enrolment.objects.filter(pk__in=[row.pk for row in enrolments]).select_for_update(no_key=True).order_by("pk"))
    return list(sessions.select_for_update().order_by("pk").values_list("pk", flat=True))


@unit_of_work
def erase_student(*, actor: Actor, slug: str, student: str) -> int:
    """By whoever manages exams. Sessions, logs, chat and the enrolment go; the audit log says that, and not who.
    Answers the number of sessions."""
    exam = access.managed_exam_for(actor, slug)
    enrolments = _enrolments(exam, student)
    if not enrolments:
        raise NotFound
    sessions = ExamSession.objects.filter(exam=exam, enrolment__in=enrolments)
    ids = _held(enrolments, sessions)
    rooms = list(ExamRoom.objects.filter(session__in=ids).values_list("conversation_id", flat=True))
    Conversation.objects.filter(pk__in=rooms).update(last_message=None)
    Message.objects.filter(conversation__in=rooms).delete()
    sessions.delete()
    Conversation.objects.filter(pk__in=rooms).delete()
    Enrolment.objects.filter(pk__in=[row.pk for row in enrolments]).delete()
    audit.record(
        actor=actor, action="exam.student_erased", target_kind="exam", target_id=exam.pk, detail={"sessions": len(ids)}
    )
    return len(ids)
