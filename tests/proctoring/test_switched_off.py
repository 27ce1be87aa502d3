"""Exams switched off in a workspace: nobody sees or starts one, and whoever is in the middle of one finishes it."""

from django.urls import URLPattern

from proctoring.urls import api_v1
from tests.api import Api
from tests.proctoring.scene import make_scene, service_was_always_there


def test_off_closes_the_tutors_side_and_starts_nothing_new():
    service_was_always_there()
    scene = make_scene()
    session = scene.start()
    features = Api(scene.cast.ada).of(scene.cast.workspace.slug)
    assert features.patch("features", {"proctoring": False}).status_code == 200
    refused = [
        scene.tia.get("exams/"),
        scene.tia.get(f"{scene.base}sessions/{session['id']}/"),
        scene.tia.post(f"{scene.base}commands/", {"type": "warn"}),
        Api(scene.sue).post(f"/api/v1/exams/{scene.exam.slug}/sessions", {}),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert {(answer.json()["code"], answer.json()["feature"]) for answer in refused} == {("feature_off", "proctoring")}
    assert scene.cleo.post(f"/api/v1/exams/{scene.exam.slug}/sessions", {}).status_code == 404
    # Sam is in the middle of his.
    assert scene.sam.get(f"/api/v1/sessions/{session['id']}").status_code == 200
    assert scene.beat(session["id"], current_question=2, answered_count=1).status_code == 200
    assert scene.start()["id"] == session["id"]
    assert scene.sam.post(f"/api/v1/sessions/{session['id']}/end", {}).json()["status"] == "submitted"
    assert features.patch("features", {"proctoring": True}).status_code == 200
    assert scene.shown(session["id"])["status"] == "submitted"


def test_every_address_of_the_tutors_has_the_switch():
    views = [route.callback.cls for route in api_v1 if isinstance(route, URLPattern)]
    assert {view.__name__ for view in views if view.feature is None} == set()
