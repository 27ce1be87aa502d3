"""What proctoring's edges share: who the student is, and the small readers of input."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from config.errors import Invalid
from crm.api.base import WorkspaceView
from crm.features import Feature
from crm.identity.request_pace import RequestPace
from crm.identity.requests import Identified, signed_in_user
from proctoring.errors import GrantRefused
from proctoring.people import Student
from proctoring.services.grants import TOKEN_HEADER, student_of_token

A_MINUTE = 600  # requests of one student; a page that is busy makes some thirty


class ExamView(WorkspaceView):
    """For those who set exams up and look after them."""

    feature = Feature.PROCTORING


class StudentPace(RequestPace):
    """By student, signed in or not: a school stands behind one address, and one of it must not use up what all have."""

    def limit(self, asked: Any) -> tuple[UUID, int]:
        who = _counted_as(asked)
        return (uuid5(NAMESPACE_URL, f"pace:student:{who}"), A_MINUTE) if who else super().limit(asked)


def _counted_as(asked: Any) -> str:
    """Empty for whoever is nobody."""
    if token := asked.headers.get(TOKEN_HEADER, ""):
        try:
            student = student_of_token(token)
        except GrantRefused:
            return ""
        return f"{student.exam_id}:{student.external_id}"
    return str(asked.user.pk) if asked.user.is_authenticated else ""


class StudentView(APIView):
    """For the enrolled: a signed-in user, or whoever holds a token that stands for the exam system's word."""

    permission_classes = (AllowAny,)
    throttle_classes = (StudentPace,)

    def student(self, request: Request) -> Student:
        token = request.headers.get(TOKEN_HEADER, "")
        if token:
            return student_of_token(token)
        user = signed_in_user(request._request)
        identity: Identified | None = request._request.identity  # type: ignore[attr-defined]
        session = identity.session_id if identity is not None and identity.via == "cookie" else None
        return Student(user_id=user.pk, name=user.display_name, browser_session=session)


def body_of(request: Request) -> Mapping[str, Any]:
    """An object, or nothing at all."""
    data: Any = request.data
    if data is None or data == "":
        return {}
    if not isinstance(data, Mapping):
        raise Invalid("The body is an object.")
    return data
