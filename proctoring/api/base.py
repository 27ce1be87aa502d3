"""What proctoring's edges share: who the student is, and the small readers of input."""

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from config.errors import Invalid
from crm.api.base import WorkspaceView
from crm.features import Feature
from crm.identity.requests import Identified, signed_in_user
from proctoring.people import Student
from proctoring.services.grants import TOKEN_HEADER, student_of_token


class ExamView(WorkspaceView):
    """For those who set exams up and look after them."""

    feature = Feature.PROCTORING


class StudentView(APIView):
    """For the enrolled: a signed-in user, or whoever holds a token that stands for the exam system's word."""

    permission_classes = (AllowAny,)

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
