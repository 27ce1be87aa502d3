"""An exam with its tutor and its student, as most of these tests need it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from crm.models import User
from proctoring.models import Enrolment, Exam, ExamTutor, ServiceMark, SessionPulse
from tests.api import Api
from tests.cast import Cast, make_cast, make_user, unique


@dataclass
class Scene:
    cast: Cast
    exam: Exam
    sue: User

    @property
    def sam(self) -> Api:
        return Api(self.cast.sam)

    @property
    def tia(self) -> Api:
        return Api(self.cast.tia).of(self.cast.workspace.slug)

    @property
    def cleo(self) -> Api:
        return Api(self.cast.cleo)

    @property
    def base(self) -> str:
        """Of the tutors' side."""
        return f"exams/{self.exam.slug}/"

    def start(self, user: User | None = None, **body: Any) -> dict[str, Any]:
        answer = Api(user or self.cast.sam).post(f"/api/v1/exams/{self.exam.slug}/sessions", body)
        assert answer.status_code in {200, 201}, answer.content
        return answer.json()

    def beat(self, session: str, user: User | None = None, **body: Any) -> Any:
        return Api(user or self.cast.sam).post(f"/api/v1/sessions/{session}/heartbeat", body)

    def log(self, session: str, *items: dict[str, Any], user: User | None = None, **more: Any) -> Any:
        body = {"violations": list(items), **more}
        return Api(user or self.cast.sam).post(f"/api/v1/sessions/{session}/violations", body)

    def shown(self, session: str) -> dict[str, Any]:
        answer = self.tia.get(f"{self.base}sessions/{session}/")
        assert answer.status_code == 200, answer.content
        return answer.json()


def make_scene(**fields: Any) -> Scene:
    cast = make_cast()
    fields = {"title": "Biology midterm", "question_count": 40, **fields}
    exam = Exam.objects.create(workspace=cast.workspace, slug=unique("exam"), **fields)
    ExamTutor.objects.create(workspace=cast.workspace, exam=exam, user=cast.tia)
    scene = Scene(cast, exam, make_user("sue"))
    for student in (cast.sam, scene.sue):
        enrol(scene, student)
    return scene


def enrol(scene: Scene, user: User, **fields: Any) -> Enrolment:
    return Enrolment.objects.create(workspace=scene.cast.workspace, exam=scene.exam, user=user, **fields)


def item(type_: str = "tab_switch", **fields: Any) -> dict[str, Any]:
    return {
        "client_id": str(uuid4()),
        "seq": fields.pop("seq", None),
        "type": type_,
        "occurred_at": datetime.now(UTC).isoformat(),
        "detail": {},
        **fields,
    }


def silent_for(session: str | UUID, seconds: float) -> None:
    """As if the last sign of life were so long ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update proctoring_sessionpulse set seen_at = now() - make_interval(secs => %(ago)s),"
            " last_heartbeat = now() - make_interval(secs => %(ago)s) where session_id = %(session)s",
            {"ago": seconds, "session": session},
        )


def service_was_always_there() -> None:
    """Whatever other tests did to the mark."""
    ServiceMark.objects.update_or_create(pk=1, defaults={"alive_at": datetime.now(UTC), "back_at": None})


def pulse_of(session: str | UUID) -> SessionPulse:
    return SessionPulse.objects.get(pk=UUID(str(session)))
