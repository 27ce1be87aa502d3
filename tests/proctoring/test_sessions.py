"""A student's sitting: started, kept alive, handed in; and who may see it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from config.live.events import events_after
from proctoring import topics
from proctoring.api import base
from proctoring.models import Enrolment, Exam, ExamSession
from tests.api import Api
from tests.cast import make_user
from tests.proctoring.scene import enrol, make_scene, pulse_of, service_was_always_there, silent_for

FIELDS = {
    "id",
    "exam",
    "student",
    "student_name",
    "status",
    "current_question",
    "answered_count",
    "violation_count",
    "last_heartbeat",
    "started_at",
    "ended_at",
}


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


def test_a_student_starts_beats_and_hands_in(scene):
    session = scene.start()
    assert set(session) >= FIELDS
    assert (session["status"], session["exam"], session["student"]) == (
        "active",
        scene.exam.slug,
        str(scene.cast.sam.pk),
    )
    beaten = scene.beat(session["id"], current_question=3, answered_count=2)
    assert beaten.status_code == 200
    assert beaten.json()["next_interval"] == 10
    shown = scene.shown(session["id"])
    assert (shown["current_question"], shown["answered_count"]) == (3, 2)
    assert shown["last_heartbeat"] is not None
    ended = scene.sam.post(f"/api/v1/sessions/{session['id']}/end", {})
    assert (ended.status_code, ended.json()["status"]) == (200, "submitted")
    again = scene.sam.post(f"/api/v1/sessions/{session['id']}/end", {})
    assert again.json()["ended_at"] == ended.json()["ended_at"]


def test_starting_again_goes_on_with_the_same_session(scene):
    first = Api(scene.cast.sam).post(f"/api/v1/exams/{scene.exam.slug}/sessions", {})
    scene.beat(first.json()["id"], current_question=9, answered_count=8)
    second = Api(scene.cast.sam).post(f"/api/v1/exams/{scene.exam.slug.upper()}/sessions", {})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert (second.json()["current_question"], second.json()["answered_count"]) == (9, 8)


def test_two_starts_at_once_make_one_session(scene, at_once):
    def start():
        return Api(scene.cast.sam).post(f"/api/v1/exams/{scene.exam.slug}/sessions", {})

    answers = at_once(start, 4)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_a_beat_straight_after_another_is_refused_and_changes_nothing(scene):
    session = scene.start()["id"]
    scene.beat(session, current_question=1)
    early = scene.beat(session, current_question=2)
    assert early.status_code == 429
    assert 1 <= int(early.headers["Retry-After"]) <= 5
    assert scene.shown(session)["current_question"] == 1


def test_after_the_end_a_beat_is_a_conflict(scene):
    session = scene.start()["id"]
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    late = scene.beat(session, current_question=7)
    assert (late.status_code, late.json()["code"]) == (409, "session_ended")
    assert scene.shown(session)["current_question"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"current_question": -1},
        {"answered_count": "3"},
        {"answered_count": True},
        {"current_question": 41},
        {"visibility": "sideways"},
        {"client_time": "yesterday"},
        {"client_time": "2999-01-01T00:00:00Z"},
        {"seen": ["x"]},
        {"device": "x" * 65},
    ],
    ids=lambda body: next(iter(body)) + str(len(str(body))),
)
def test_a_beat_that_makes_no_sense_is_refused_and_changes_nothing(scene, body):
    session = scene.start()["id"]
    assert scene.beat(session, **body).status_code == 400
    assert pulse_of(session).beats == 0


def test_a_beat_out_of_order_is_refused(scene):
    session = scene.start()["id"]
    assert scene.beat(session, seq=5, answered_count=4).status_code == 200
    silent_for(session, 8)
    late = scene.beat(session, seq=4, answered_count=3)
    assert (late.status_code, late.json()["code"], late.json()["client_seq"]) == (409, "beat_out_of_order", 5)
    assert scene.shown(session)["answered_count"] == 4


def test_one_who_floods_is_held_up_and_nobody_else(scene, monkeypatch):
    monkeypatch.setattr(base, "A_MINUTE", 3)
    session, other = scene.start()["id"], scene.start(scene.sue)["id"]
    path = "/api/v1/sessions/{}/hand"
    statuses = [scene.sam.post(path.format(session), {}).status_code for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    refused = scene.sam.post(path.format(session), {})
    assert (refused.json()["code"], int(refused["Retry-After"]) >= 1) == ("too_many_requests", True)
    assert Api(scene.sue).post(path.format(other), {}).status_code == 200


def test_nobody_else_starts_or_touches_it(scene):
    session = scene.start()["id"]
    for stranger in (scene.cast.cleo, scene.cast.ada, scene.cast.tia, make_user("eve")):
        api = Api(stranger)
        assert api.post(f"/api/v1/exams/{scene.exam.slug}/sessions", {}).status_code == 404
    for stranger in (scene.cast.cleo, scene.sue, scene.cast.ada):
        api = Api(stranger)
        assert api.get(f"/api/v1/sessions/{session}").status_code == 404
        for verb in ("heartbeat", "violations", "end", "hand", "commands"):
            body = {"violations": [{}], "commands": [str(uuid4())]}
            assert api.post(f"/api/v1/sessions/{session}/{verb}", body).status_code == 404, verb
    assert Api().post(f"/api/v1/sessions/{session}/heartbeat", {}).status_code == 401
    assert pulse_of(session).beats == 0


def test_only_its_tutors_see_an_exam(scene):
    session = scene.start()["id"]
    paths = [scene.base, f"{scene.base}sessions/", f"{scene.base}sessions/{session}/", f"{scene.base}report.csv"]
    for path in paths:
        assert scene.tia.get(path).status_code == 200, path
        for other in (scene.cast.ada, scene.cast.ben, scene.cast.vic):
            assert Api(other).of(scene.cast.workspace.slug).get(path).status_code == 404, path
        for stranger in (scene.cast.cleo, scene.cast.sam):
            assert Api(stranger).of(scene.cast.workspace.slug).get(path).status_code == 404, path
        assert Api(scene.cast.cleo).of(scene.cast.elsewhere.slug).get(path).status_code == 404, path
    assert [row["slug"] for row in scene.tia.get("exams/").json()["results"]] == [scene.exam.slug]
    assert Api(scene.cast.ada).of(scene.cast.workspace.slug).get("exams/").json()["results"] == []


def test_two_missed_beats_disconnect_and_the_next_one_recovers(scene):
    session = scene.start()["id"]
    scene.beat(session)
    silent_for(session, 19)
    assert scene.shown(session)["status"] == "active"
    silent_for(session, 22)
    assert (scene.shown(session)["status"], scene.shown(session)["connection"]) == ("disconnected", "offline")
    assert scene.beat(session).json()["status"] == "active"
    assert scene.shown(session)["status"] == "active"


def test_the_list_filters_and_pages(scene):
    other = enrol(scene, make_user("ann"), group="B").user
    first, second, third = scene.start(), scene.start(scene.sue), scene.start(other)
    silent_for(second["id"], 30)

    def listed(**query):
        answer = scene.tia.get(f"{scene.base}sessions/", **query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    assert [row["id"] for row in listed()["results"]] == [first["id"], second["id"], third["id"]]
    assert [row["id"] for row in listed(student=str(scene.cast.sam.pk))["results"]] == [first["id"]]
    assert [row["id"] for row in listed(status="disconnected")["results"]] == [second["id"]]
    assert [row["id"] for row in listed(group="B")["results"]] == [third["id"]]
    assert [row["id"] for row in listed(search="sue")["results"]] == [second["id"]]
    assert listed()["counts"]["disconnected"] == 1
    page = listed(limit=2)
    assert [row["id"] for row in page["results"]] == [first["id"], second["id"]]
    rest = Api(scene.cast.tia).get(page["next"]).json()
    assert [row["id"] for row in rest["results"]] == [third["id"]]
    assert rest["next"] is None
    back = Api(scene.cast.tia).get(rest["previous"]).json()
    assert [row["id"] for row in back["results"]] == [first["id"], second["id"]]
    assert scene.tia.get(f"{scene.base}sessions/", cursor="nonsense!").status_code == 400


def test_a_list_of_any_length_takes_as_many_queries(scene, assert_queries):
    for _ in range(5):
        scene.start(enrol(scene, make_user("pat")).user)
    with assert_queries(6):
        scene.tia.get(f"{scene.base}sessions/")


def test_an_exam_opens_and_closes():
    later = datetime.now(UTC) + timedelta(hours=1)
    scene = make_scene(starts_at=later)
    refused = scene.sam.post(f"/api/v1/exams/{scene.exam.slug}/sessions", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "exam_not_open")
    Exam.objects.filter(pk=scene.exam.pk).update(starts_at=None, ends_at=datetime.now(UTC) - timedelta(seconds=30))
    assert scene.sam.post(f"/api/v1/exams/{scene.exam.slug}/sessions", {}).status_code == 409
    assert 'data-view="stopped"' in scene.sam.get(f"/exam/{scene.exam.slug}").content.decode()
    Enrolment.objects.filter(exam=scene.exam, user=scene.cast.sam).update(extra_seconds=600)
    assert 'data-view="consent"' in scene.sam.get(f"/exam/{scene.exam.slug}").content.decode()
    assert scene.start()["status"] == "active"


def test_one_attempt_unless_more_are_given(scene):
    session = scene.start()["id"]
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    refused = scene.sam.post(f"/api/v1/exams/{scene.exam.slug}/sessions", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_attempts_left")
    Enrolment.objects.filter(exam=scene.exam, user=scene.cast.sam).update(attempts=2)
    assert scene.start()["attempt"] == 2


def test_an_enrolment_taken_away_ends_beats_at_once(scene):
    session = scene.start()["id"]
    Enrolment.objects.filter(exam=scene.exam, user=scene.cast.sam).update(revoked_at=datetime.now(UTC))
    assert scene.beat(session).status_code == 404


def test_snapshot_and_events_agree(scene):
    live = scene.tia.get(f"{scene.base}sessions/").json()["live"]
    session = scene.start()["id"]
    scene.beat(session, current_question=2, answered_count=1)
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    assert live["topic"] == topics.exam(scene.exam.slug)
    found = {}
    for event in events_after(live["topic"], live["seq"]):
        assert event.type in {"session.started", "session.updated"}
        found[event.data["id"]] = event.data
    assert next(iter(events_after(live["topic"], live["seq"]))).type == "session.started"
    shown = scene.tia.get(f"{scene.base}sessions/").json()["results"]
    assert list(found.values()) == shown


def test_a_beat_that_brings_no_news_is_no_event(scene):
    session = scene.start()["id"]
    scene.beat(session, current_question=2)
    before = len(events_after(topics.session(session), 0))
    silent_for(session, 8)
    scene.beat(session, current_question=2)
    assert len(events_after(topics.session(session), 0)) == before
    assert ExamSession.objects.get(pk=session).status == "active"
