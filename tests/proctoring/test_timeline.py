"""What a contact's timeline tells of exams, and to whom."""

from typing import Any

from crm.models import Contact, ContactIdentity, IdentityKind, User
from proctoring.models import ExamTutor
from tests.api import Api
from tests.proctoring.scene import make_scene, service_was_always_there


def test_sessions_are_told_to_the_exams_tutors_and_to_nobody_else():
    service_was_always_there()
    scene = make_scene()
    cast = scene.cast
    contact = Contact.objects.create(workspace=cast.workspace, name="Sam", email=cast.sam.email)
    session = scene.start()["id"]
    assert scene.sam.post(f"/api/v1/sessions/{session}/end", {}).status_code == 200

    def told(user: User, **query: str) -> list[dict[str, Any]]:
        answer = Api(user).of(cast.workspace.slug).get(f"contacts/{contact.pk}/timeline", **query)
        assert answer.status_code == 200, answer.content
        return [row["data"] for row in answer.json()["results"] if row["kind"] == "exam"]

    ExamTutor.objects.create(workspace=cast.workspace, exam=scene.exam, user=cast.ben)
    assert told(cast.ben) == []  # an e-mail address alone says nothing
    ContactIdentity.objects.create(
        workspace=cast.workspace, contact=contact, kind=IdentityKind.USER, value=str(cast.sam.pk)
    )
    assert [(row["what"], row["session"], row["status"]) for row in told(cast.ben)] == [
        ("ended", session, "submitted"),
        ("started", session, "submitted"),
    ]
    assert len(told(cast.ben, kind="exam")) == 2
    for stranger in (cast.bea, cast.ada, cast.vic):
        assert told(stranger) == []
        assert told(stranger, kind="exam") == []
    assert scene.tia.get(f"contacts/{contact.pk}/timeline").status_code == 404
    page = Api(cast.ben).get(f"/contacts/{contact.pk}").content.decode()
    assert f"Ended the exam {scene.exam.title}" in page
    Api(cast.ada).of(cast.workspace.slug).patch("features", {"proctoring": False})
    assert told(cast.ben) == []
