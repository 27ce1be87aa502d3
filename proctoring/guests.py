"""Students whom only the exam system knows, on sockets: by the token that they got for its word."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from config.errors import NotSignedIn
from config.live.identity import Identity
from crm.identity.guests import Guests, register
from proctoring import access
from proctoring.errors import GrantRefused
from proctoring.people import Student
from proctoring.services.grants import PREFIX, expiry_of, student_of_token

SUBJECT = "exam-student"


@dataclass(frozen=True)
class Sitting(Identity):
    student: Student = field(default_factory=Student)


def subject_of(exam_id: UUID, external_id: str) -> str:
    return f"{SUBJECT}:{exam_id}:{external_id}"


def student_behind(identity: Identity | None) -> Student | None:
    """Whoever may sit an exam; None for machines, visitors and nobody."""
    if isinstance(identity, Sitting):
        return identity.student
    if identity is None or identity.user_id is None:
        return None
    return Student(user_id=identity.user_id, browser_session=getattr(identity, "session_id", None))


def register_guests() -> None:
    register(Guests(PREFIX, SUBJECT, _from_bearer, _reload, _describe))


def _from_bearer(token: str) -> Sitting:
    try:
        found = _sitting(student_of_token(token), expiry_of(token))
    except GrantRefused:
        raise NotSignedIn from None
    if found is None:
        raise NotSignedIn
    return found


def _reload(identity: Identity) -> Sitting | None:
    return _sitting(identity.student, identity.expires_at) if isinstance(identity, Sitting) else None


def _sitting(student: Student, expires_at: float | None) -> Sitting | None:
    """None once the enrolment was taken away."""
    enrolment = access.enrolments_of(student).first()
    if enrolment is None or student.exam_id is None:
        return None
    named = Student(name=enrolment.name, exam_id=student.exam_id, external_id=student.external_id)
    subject = subject_of(student.exam_id, student.external_id)
    return Sitting(user_id=None, subject=subject, expires_at=expires_at, actor=named, student=named)


def _describe(identity: Identity) -> Mapping[str, Any]:
    student = identity.student if isinstance(identity, Sitting) else Student()
    return {"user": {"id": student.external_id, "name": student.name}}
