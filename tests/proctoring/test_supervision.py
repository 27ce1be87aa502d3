"""What tutors do to one student or to many, and what the students' clients say of it."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from config.live.events import events_after
from crm.models import Contact
from inbox.models import Conversation
from proctoring import topics
from proctoring.models import Command, ConsentRecord, Exam, ExamSession, SessionSummary
from proctoring.services.commands import expire_commands
from tests.api import Api
from tests.cast import unique
from tests.proctoring.scene import enrol, item, make_scene, service_was_always_there, silent_for

SECRET = "an-exam-systems-secret-of-forty-characters"


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


def command(scene, session, **body):
    return scene.tia.post(f"{scene.base}sessions/{session}/commands/", body)


def test_a_pause_stops_the_clock(scene):
    Exam.objects.filter(pk=scene.exam.pk).update(duration_seconds=3600)
    session = scene.start()["id"]
    ends_at = datetime.fromisoformat(scene.shown(session)["ends_at"])
    assert command(scene, session, type="pause", reason="fire drill").status_code == 201
    assert scene.shown(session)["status"] == "paused"
    ExamSession.objects.filter(pk=session).update(paused_at=datetime.now(UTC) - timedelta(minutes=3))
    assert command(scene, session, type="pause").status_code == 409
    assert scene.beat(session).json()["status"] == "paused"
    assert command(scene, session, type="resume").status_code == 201
    shown = scene.shown(session)
    moved = datetime.fromisoformat(shown["ends_at"]) - ends_at
    assert (shown["status"], round(moved.total_seconds() / 10)) == ("active", 18)
    assert [gap["cause"] for gap in shown["gaps"]] == ["pause"]


def test_more_time_moves_the_end(scene):
    Exam.objects.filter(pk=scene.exam.pk).update(duration_seconds=3600)
    session = scene.start()["id"]
    before = datetime.fromisoformat(scene.shown(session)["ends_at"])
    body = {"type": "extra_time", "seconds": 300, "client_id": str(uuid4())}
    assert command(scene, session, **body).status_code == 201
    assert command(scene, session, **body).status_code == 201  # the same again is the same
    after = datetime.fromisoformat(scene.shown(session)["ends_at"])
    assert after - before == timedelta(minutes=5)
    assert command(scene, session, **{**body, "seconds": 60}).status_code == 409
    assert command(scene, session, type="extra_time").status_code == 400


def test_ending_a_session_is_final(scene):
    session = scene.start()["id"]
    assert command(scene, session, type="terminate", reason="phone on the desk").status_code == 201
    shown = scene.shown(session)
    assert (shown["status"], shown["end_reason"]) == ("terminated", "phone on the desk")
    assert scene.beat(session).status_code == 409
    assert scene.sam.post(f"/api/v1/sessions/{session}/end", {}).status_code == 409
    assert command(scene, session, type="resume").status_code == 409
    assert command(scene, session, type="note", body="talked to the parents").status_code == 201
    assert scene.sam.post(f"/api/v1/exams/{scene.exam.slug}/sessions", {}).status_code == 409


def test_a_command_is_queued_delivered_seen(scene):
    session = scene.start()["id"]
    sent = command(scene, session, type="message", body="Read question 12 again.", urgent=True).json()
    assert sent["state"] == "queued"
    waiting = scene.beat(session).json()["commands"]
    assert [(one["id"], one["state"], one["from_name"]) for one in waiting] == [(sent["id"], "delivered", "Tia")]
    path = f"/api/v1/sessions/{session}/commands"
    assert scene.sam.get(path).json()["results"] == []
    seen = scene.sam.post(path, {"commands": [sent["id"]]}).json()["results"]
    assert [one["state"] for one in seen] == ["seen"]
    assert (
        scene.sam.post(path, {"commands": [sent["id"]], "state": "delivered"}).json()["results"][0]["state"] == "seen"
    )
    told = [event.data["state"] for event in events_after(topics.session(session), 0) if "command" in event.type]
    assert told == ["queued", "delivered", "seen"]


def test_what_nobody_sees_expires_and_is_seen_late_all_the_same(scene):
    session = scene.start()["id"]
    sent = command(scene, session, type="attention").json()["id"]
    Command.objects.filter(pk=sent).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    expire_commands()
    assert Command.objects.get(pk=sent).state == "expired"
    scene.sam.post(f"/api/v1/sessions/{session}/commands", {"commands": [sent]})
    assert Command.objects.get(pk=sent).state == "seen"


def test_a_private_note_stays_with_the_tutors(scene):
    session = scene.start()["id"]
    command(scene, session, type="note", body="keep an eye on this one")
    assert scene.beat(session).json()["commands"] == []
    assert all("keep an eye" not in event.json for event in events_after(topics.session(session), 0))
    assert any("keep an eye" in event.json for event in events_after(topics.exam(scene.exam.slug), 0))


def test_in_bulk_what_cannot_be_done_to_one_is_done_to_the_others(scene):
    first, second = scene.start()["id"], scene.start(scene.sue)["id"]
    scene.sam.post(f"/api/v1/sessions/{first}/end", {})
    body = {"type": "pause", "sessions": [first, second, str(uuid4())], "reason": "power cut"}
    results = scene.tia.post(f"{scene.base}commands/", body).json()["results"]
    assert [(one["status"], one["code"]) for one in results] == [
        ("refused", "session_ended"),
        ("queued", ""),
        ("refused", "not_found"),
    ]
    told = scene.tia.post(f"{scene.base}commands/", {"type": "announcement", "body": "Ten minutes left", "all": True})
    assert [one["session"] for one in told.json()["results"]] == [second]
    assert scene.tia.post(f"{scene.base}commands/", {"type": "pause"}).status_code == 400
    history = scene.tia.get(f"{scene.base}commands/").json()["results"]
    assert [one["type"] for one in history] == ["announcement", "pause"]
    for other in (scene.cast.ada, scene.cast.cleo, scene.cast.sam):
        assert Api(other).of(scene.cast.workspace.slug).post(f"{scene.base}commands/", body).status_code == 404


def test_a_raised_hand_is_shown(scene):
    session = scene.start()["id"]
    scene.sam.post(f"/api/v1/sessions/{session}/hand", {"note": "black screen"})
    assert scene.shown(session)["hand_note"] == "black screen"
    scene.sam.post(f"/api/v1/sessions/{session}/hand", {"raised": False})
    assert scene.shown(session)["hand_raised_at"] is None


# --- Setting up ---------------------------------------------------------------------------------------------


def test_an_exam_system_pushes_an_exam_by_slug(scene):
    ada = Api(scene.cast.ada).of(scene.cast.workspace.slug)
    slug = unique("Pushed")
    body = {
        "slug": slug,
        "title": "Chemistry",
        "supabase_id": str(uuid4()),
        "rules": [{"type": "copy", "severity": "low"}],
        "tutors": [str(scene.cast.tia.pk)],
        "students": [{"email": scene.cast.sam.email, "extra_seconds": 60}, {"external_id": "pupil-7", "name": "Mei"}],
    }
    made = ada.post("exams/", body)
    assert (made.status_code, made.json()["slug"]) == (201, slug.lower())
    again = ada.post("exams/", {"slug": slug.upper(), "title": "Chemistry II"})
    assert (again.status_code, again.json()["title"], len(again.json()["rules"])) == (200, "Chemistry II", 1)
    assert scene.tia.get(f"exams/{slug}/").status_code == 200
    assert len(scene.tia.get(f"exams/{slug}/enrolments/").json()["results"]) == 2
    assert Api(scene.cast.sam).post(f"/api/v1/exams/{slug}/sessions", {}).status_code == 201
    for other in (scene.cast.tia, scene.cast.ben, scene.cast.vic):
        assert Api(other).of(scene.cast.workspace.slug).post("exams/", body).status_code == 403
    theirs = Api(scene.cast.cleo).of(scene.cast.elsewhere.slug).post("exams/", {"slug": slug, "title": "Mine"})
    assert (theirs.status_code, theirs.json()["code"]) == (409, "slug_taken")
    assert ada.post("exams/", {"slug": unique("x"), "title": "x", "rules": [{"type": "sneeze"}]}).status_code == 400


def test_owners_add_themselves_and_it_is_audited(scene):
    from crm.models import AuditEntry

    ada = Api(scene.cast.ada).of(scene.cast.workspace.slug)
    assert ada.get(scene.base).status_code == 404
    assert ada.post(f"{scene.base}tutors/", {"user": str(scene.cast.ada.pk)}).status_code == 200
    assert ada.get(scene.base).status_code == 200
    assert AuditEntry.objects.filter(action="exam.tutor_added", target_id=str(scene.exam.pk)).exists()
    assert ada.delete(f"{scene.base}tutors/{scene.cast.ada.pk}/").status_code == 204
    assert ada.get(scene.base).status_code == 404
    assert scene.tia.post(f"{scene.base}tutors/", {"user": str(scene.cast.ben.pk)}).status_code == 403
    assert ada.post(f"{scene.base}tutors/", {"user": str(scene.cast.sam.pk)}).status_code == 400


def test_whoever_leaves_the_workspace_leaves_its_exams(scene):
    scene.cast.workspace.members.get(user=scene.cast.tia).delete()
    assert not scene.exam.tutors.exists()


def test_the_exam_systems_word_enrols_a_student_without_an_account(scene):
    scene.exam.secrets = {"signing": [SECRET]}
    scene.exam.save()

    def word(**claims):
        base = {"aud": "switchboard", "exam": scene.exam.slug, "role": "student", "sub": "pupil-9", "name": "Mei"}
        return jwt.encode({**base, "exp": datetime.now(UTC) + timedelta(hours=1), **claims}, SECRET, "HS256")

    path = f"/api/v1/exams/{scene.exam.slug}/sessions"
    started = Api().post(path, {"grant": word()})
    assert started.status_code == 201, started.content
    session, token = started.json()["id"], started.json()["token"]
    assert (started.json()["student"], started.json()["student_name"]) == ("pupil-9", "Mei")
    mine = {"HTTP_X_EXAM_TOKEN": token}
    client = Api()._client
    assert client.post(f"/api/v1/sessions/{session}/heartbeat", "{}", "application/json", **mine).status_code == 200
    other = scene.start()["id"]
    assert client.post(f"/api/v1/sessions/{other}/heartbeat", "{}", "application/json", **mine).status_code == 404
    expired = word(exp=datetime.now(UTC) - timedelta(minutes=5))
    for wrong in (expired, word(exam="other"), word(aud="x"), word(role="owner"), word()[:-4] + "AAAA", "x"):
        assert Api().post(path, {"grant": wrong}).status_code == 401, wrong
    ben = Api(scene.cast.ben).of(scene.cast.workspace.slug)
    assert ben.get(scene.base).status_code == 404
    assert ben.post(f"{scene.base}join", {"grant": word()}).status_code == 401
    assert ben.post(f"{scene.base}join", {"grant": word(role="tutor", sub=str(scene.cast.ben.pk))}).status_code == 200
    assert ben.get(scene.base).status_code == 200
    scene.exam.tutors.filter(user=scene.cast.ben).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert ben.get(scene.base).status_code == 404


def test_consent_is_asked_for_and_kept(scene):
    Exam.objects.filter(pk=scene.exam.pk).update(requires_consent=True, policy_version="3")
    path = f"/api/v1/exams/{scene.exam.slug}/sessions"
    refused = scene.sam.post(path, {})
    assert (refused.status_code, refused.json()["code"], refused.json()["policy_version"]) == (
        409,
        "consent_required",
        "3",
    )
    assert scene.sam.post(path, {"consent": {"policy_version": "2"}}).status_code == 409
    session = scene.start(consent={"policy_version": "3", "guardian": True})["id"]
    kept = ConsentRecord.objects.get(session=session)
    assert (kept.policy_version, kept.has_guardian) == ("3", True)
    assert scene.shown(session)["consents"][0]["policy_version"] == "3"


# --- Chat ---------------------------------------------------------------------------------------------------


def test_student_and_tutor_write_to_each_other_and_the_inbox_shows_nothing(scene):
    session = scene.start()["id"]
    own, theirs = f"/api/v1/sessions/{session}/chat", f"{scene.base}sessions/{session}/chat"
    assert scene.sam.get(own).json()["results"] == []
    said = {"client_id": str(uuid4()), "body": "Layar saya hitam"}
    assert [scene.sam.post(own, said).status_code for _ in range(2)] == [201, 200]
    assert scene.sam.post(own, {**said, "body": "other"}).status_code == 409
    thread = scene.tia.get(theirs).json()
    assert [(one["body"], one["direction"], one["sender"]["name"]) for one in thread["results"]] == [
        ("Layar saya hitam", "in", "Sam")
    ]
    assert thread["unread_count"] == 1
    assert scene.tia.post(f"{theirs}/read").status_code == 204
    assert scene.sam.get(own).json()["seen"]["by_tutors"] == 1
    answer = scene.tia.post(theirs, {"client_id": str(uuid4()), "body": "Sudah saya lihat"})
    assert (answer.status_code, answer.json()["status"]) == (201, "sent")
    assert scene.sam.get(own).json()["unread_count"] == 1
    assert scene.sam.post(f"{own}/read").status_code == 204
    assert scene.tia.get(theirs).json()["results"][0]["status"] == "read"
    assert scene.sam.post(f"{own}/typing").status_code == 204
    types = [event.type for event in events_after(topics.session(session), 0)]
    assert types.count("message.created") == 2
    assert {"message.updated", "chat.read"} <= set(types)
    ada = Api(scene.cast.ada).of(scene.cast.workspace.slug)
    assert ada.get("conversations/").json()["results"] == []
    assert ada.get("conversations/", search="Layar").json()["results"] == []
    conversation = Conversation.objects.get(workspace=scene.cast.workspace, scope="exam")
    assert ada.get(f"conversations/{conversation.pk}/").status_code == 404
    assert not Contact.objects.alive().filter(workspace=scene.cast.workspace).exists()
    for stranger in (scene.sue, scene.cast.cleo):
        assert Api(stranger).get(own).status_code == 404
        assert Api(stranger).post(own, said).status_code == 404
    for other in (scene.cast.ada, scene.cast.cleo):
        assert Api(other).of(scene.cast.workspace.slug).get(theirs).status_code == 404


def test_two_first_messages_at_once_open_one_room(scene, at_once):
    session = scene.start()["id"]

    def write():
        return scene.sam.post(f"/api/v1/sessions/{session}/chat", {"client_id": str(uuid4()), "body": "hi"})

    assert {answer.status_code for answer in at_once(write, 3)} == {201}
    assert Conversation.objects.filter(workspace=scene.cast.workspace, scope="exam").count() == 1


# --- Reports ------------------------------------------------------------------------------------------------


def test_the_sheet_agrees_with_the_log_and_runs_no_formula(scene):
    enrol(scene, scene.cast.ben, name='=HYPERLINK("http://x")')
    session, other = scene.start()["id"], scene.start(scene.cast.ben)["id"]
    scene.log(session, item("paste"), item("copy"), item("network_change"))
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    answer = scene.tia.get(f"{scene.base}report.csv")
    assert answer["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    found = {line["session"]: line for line in lines}
    assert (found[session]["violation_count"], found[session]["high"], found[session]["status"]) == (
        "2",
        "1",
        "submitted",
    )
    assert found[other]["student_name"].startswith("'=")
    log = scene.tia.get(f"{scene.base}report.csv", of="violations", student=str(scene.cast.sam.pk)).content.decode()
    assert log.count("\r\n") == 4
    kept = SessionSummary.objects.get(session=session)
    assert (kept.data["violation_count"], kept.data["status"]) == (2, "submitted")


def test_a_review_after_the_end_makes_a_new_summary(scene):
    session = scene.start()["id"]
    violation = scene.log(session, item("paste")).json()["results"][0]["violation"]["id"]
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    scene.tia.patch(f"{scene.base}violations/{violation}/", {"review": "dismissed"})
    kept = SessionSummary.objects.get(session=session)
    assert (kept.version, kept.data["reviews"]) == (2, {"dismissed": 1})


def test_what_is_lost_is_given_back_to_all(scene):
    from proctoring.services import edges

    sessions = {user: scene.start(user)["id"] for user in (scene.cast.sam, scene.sue)}
    for session, seconds in zip(sessions.values(), (50, 80), strict=True):
        silent_for(session, seconds)
    edges.write_edges()
    for user, session in sessions.items():
        scene.beat(session, user)
    done = scene.tia.post(f"{scene.base}compensate", {}).json()["results"]
    assert sorted((one["session"], one["given_back_seconds"]) for one in done) == sorted(
        zip(sessions.values(), (60, 120), strict=True)
    )
    told = scene.tia.get(f"{scene.base}commands/").json()["results"]
    assert [one["reason"] for one in told] == ["lost_time"] * 2
    assert len({one["batch"] for one in told}) == 1  # one action, however many students it is for


def test_everything_of_a_student_is_handed_out_and_erased(scene):
    session = scene.start()["id"]
    scene.start(scene.sue)
    scene.log(session, item("paste"))
    scene.sam.post(f"/api/v1/sessions/{session}/chat", {"client_id": str(uuid4()), "body": "hello"})
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    path = f"{scene.base}students/{scene.cast.sam.pk}/"
    kept = scene.tia.get(path).json()
    assert [len(kept["sessions"][0][name]) for name in ("violations", "chat")] == [1, 1]
    ada = Api(scene.cast.ada).of(scene.cast.workspace.slug)
    assert scene.tia.delete(path).status_code == 403
    assert Api(scene.cast.cleo).of(scene.cast.workspace.slug).delete(path).status_code == 404
    assert ada.delete(path).json() == {"sessions": 1}
    assert scene.tia.get(path).status_code == 404
    assert ExamSession.objects.filter(exam=scene.exam).count() == 1
    assert not Conversation.objects.filter(workspace=scene.cast.workspace, scope="exam").exists()


def test_the_log_is_narrowed_by_severity_type_review_and_session(scene):
    session, other = scene.start()["id"], scene.start(scene.sue)["id"]
    scene.log(session, item("paste"), item("copy"), item("context_menu"), item("network_change"))
    noted = scene.log(other, item("copy"), user=scene.sue).json()["results"][0]["violation"]["id"]
    scene.tia.patch(f"{scene.base}violations/{noted}/", {"review": "dismissed"})

    def types(query: str) -> list[str]:
        answer = scene.tia.get(f"{scene.base}violations/?{query}")
        assert answer.status_code == 200, answer.content
        return sorted(one["type"] for one in answer.json()["results"])

    assert types("severity=high") == ["paste"]
    assert types("severity=high&severity=medium") == ["copy", "copy", "paste"]
    assert types("type=copy&review=not_reviewed") == ["copy"]
    assert types(f"session={other}") == ["copy"]
    assert types("severity=info") == ["network_change"]
    for wrong in ("severity=enormous", "type=nothing", "review=maybe", "session=x"):
        assert scene.tia.get(f"{scene.base}violations/?{wrong}").status_code == 400


def test_new_rules_ask_for_consent_anew_with_the_next_attempt(scene):
    Exam.objects.filter(pk=scene.exam.pk).update(requires_consent=True, policy_version="1", attempts=2)
    session = scene.start(consent={"policy_version": "1"})["id"]
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    Exam.objects.filter(pk=scene.exam.pk).update(policy_version="2")
    path = f"/api/v1/exams/{scene.exam.slug}/sessions"
    refused = scene.sam.post(path, {"consent": {"policy_version": "1"}})
    assert (refused.status_code, refused.json()["code"], refused.json()["policy_version"]) == (
        409,
        "consent_required",
        "2",
    )
    second = scene.sam.post(path, {"consent": {"policy_version": "2"}}).json()["id"]
    kept = ConsentRecord.objects.filter(session__in=[session, second]).order_by("pk")
    assert list(kept.values_list("session_id", "policy_version")) == [
        (kept[0].session_id, "1"),
        (kept[1].session_id, "2"),
    ]


def test_a_member_whom_the_exam_system_names_tutors_as_long_as_its_word_holds(scene):
    scene.exam.secrets = {"signing": [SECRET]}
    scene.exam.save()
    claims = {"aud": "switchboard", "exam": scene.exam.slug, "role": "tutor", "sub": str(scene.cast.ben.pk)}
    soon = datetime.now(UTC) + timedelta(hours=1)
    ben = Api(scene.cast.ben).of(scene.cast.workspace.slug)
    assert ben.get(scene.base).status_code == 404
    for bad in (
        jwt.encode({**claims, "exp": soon}, "another secret of more than thirty-two", algorithm="HS256"),
        jwt.encode({**claims, "exp": soon, "sub": str(scene.cast.bea.pk)}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "exp": soon, "role": "student"}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "exp": soon, "exam": "another"}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "exp": datetime.now(UTC) - timedelta(minutes=5)}, SECRET, algorithm="HS256"),
        jwt.encode({**claims, "exp": soon + timedelta(days=30)}, SECRET, algorithm="HS256"),
        "nonsense",
    ):
        assert ben.post(f"{scene.base}join", {"grant": bad}).status_code == 401
    good = jwt.encode({**claims, "exp": soon}, SECRET, algorithm="HS256")
    assert ben.post(f"{scene.base}join", {"grant": good}).status_code == 200
    assert ben.get(scene.base).status_code == 200
    scene.exam.tutors.filter(user=scene.cast.ben).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert ben.get(scene.base).status_code == 404
