"""The exam system's word: a signed payload that stands for an enrolment or a tutor's row.

It is a JSON Web Token, HS256 with one of the exam's secrets, and says `exam`, `role` (student or tutor), `sub`, `exp`.
What it says becomes a row once; afterwards the row decides, so that it can be seen and taken away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from django.core import signing

from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm.actors import Caller
from crm.services.roles import subject
from proctoring.errors import GrantRefused
from proctoring.models import Enrolment, Exam, ExamTutor
from proctoring.people import Student

TOKEN_HEADER = "X-Exam-Token"  # noqa: S105  # a header's name
PREFIX = "exs_"  # what tells them from other bearers, on sockets
_signer = signing.TimestampSigner(salt="proctoring.student", sep=".")  # a subprotocol knows no colon
TOKEN_SECONDS = 24 * 3600
AUDIENCE = "switchboard"
LONGEST = 4_096
LONGEST_LIFE = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Grant:
    exam: Exam
    role: str
    sub: str
    name: str
    group: str
    extra_seconds: int
    expires_at: datetime


def read_grant(token: str, slug: str) -> Grant:
    """GrantRefused for whatever is wrong with it, an exam that does not exist included."""
    exam = Exam.objects.filter(slug=slug.lower()).first()
    secrets = exam.secrets.get("signing", []) if exam else []
    if exam is None or not token or len(token) > LONGEST:
        raise GrantRefused
    for secret in secrets:
        try:
            claims = jwt.decode(
                token, secret, algorithms=["HS256"], audience=AUDIENCE, options={"require": ["exp", "sub"]}, leeway=10
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.PyJWTError:
            break
        return _grant(exam, claims)
    raise GrantRefused


def _grant(exam: Exam, claims: Mapping[str, Any]) -> Grant:
    sub, role, extra = claims.get("sub"), claims.get("role"), claims.get("extra_seconds", 0)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    shaped = isinstance(sub, str) and 1 <= len(sub) <= 120 and type(extra) is int and 0 <= extra <= 86_400
    if not shaped or role not in {"student", "tutor"} or claims.get("exam") != exam.slug:
        raise GrantRefused
    if expires_at > datetime.now(UTC) + LONGEST_LIFE:
        raise GrantRefused("The exam system's word holds for two days at most.")
    return Grant(
        exam, str(role), str(sub), _text(claims, "name", 200), _text(claims, "group", 80), int(extra), expires_at
    )


def _text(claims: Mapping[str, Any], name: str, most: int) -> str:
    value = claims.get(name, "")
    return value[:most] if isinstance(value, str) and value.isprintable() else ""


@unit_of_work
def enrol_by_grant(*, token: str, slug: str, user_id: UUID | None) -> Student:
    """The student whom the exam system has signed for: the signed-in user, when the word names that user's id."""
    grant = read_grant(token, slug)
    if grant.role != "student":
        raise GrantRefused
    own = user_id is not None and grant.sub == str(user_id)
    values = {"name": grant.name, "group": grant.group, "extra_seconds": grant.extra_seconds}
    keys: dict[str, Any] = {"user_id": user_id} if own else {"external_id": grant.sub}
    enrolment, created = Enrolment.objects.select_for_update(of=("self",), no_key=True).get_or_create(
        exam=grant.exam, **keys, defaults={"workspace_id": grant.exam.workspace_id, **values}
    )
    if enrolment.revoked_at is not None:
        raise GrantRefused
    if not created:
        Enrolment.objects.filter(pk=enrolment.pk).update(**values)
    if own:
        return Student(user_id=user_id, name=grant.name)
    return Student(name=grant.name, exam_id=grant.exam.pk, external_id=grant.sub)


@unit_of_work
def join_by_grant(*, actor: Caller, token: str, slug: str) -> Exam:
    """A member whom the exam system has signed for is a tutor until its word expires."""
    grant = read_grant(token, slug)
    if grant.role != "tutor" or grant.sub != str(actor.user_id) or grant.exam.workspace_id != actor.workspace_id:
        raise GrantRefused
    row, created = ExamTutor.objects.select_for_update(no_key=True).get_or_create(
        exam=grant.exam,
        user_id=actor.user_id,
        defaults={"workspace_id": grant.exam.workspace_id, "expires_at": grant.expires_at},
    )
    if not created and row.expires_at is not None and row.expires_at < grant.expires_at:
        row.expires_at = grant.expires_at
        row.save(update_fields=["expires_at"])
    publish_access_change(subject(actor.user_id))
    return grant.exam


# --- The token of somebody who has no account ---------------------------------------------------------------


def token_of(student: Student) -> str:
    """Stands for the enrolment of somebody whom only the exam system knows."""
    return PREFIX + _signer.sign_object({"exam": str(student.exam_id), "id": student.external_id})


def student_of_token(token: str) -> Student:
    try:
        held = _signer.unsign_object(token[:LONGEST].removeprefix(PREFIX), max_age=TOKEN_SECONDS)
        return Student(exam_id=UUID(held["exam"]), external_id=str(held["id"]))
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        raise GrantRefused from None


def expiry_of(token: str) -> float:
    """Of one that `student_of_token` has taken, in epoch seconds."""
    return float(signing.b62_decode(token.rsplit(".", 2)[1])) + TOKEN_SECONDS
