"""What a client reports: each item once, however often and late; and what tutors say of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from config.live.events import events_after
from proctoring import topics
from proctoring.models import ExamRule, ExamSession, Violation
from proctoring.services import violations
from tests.api import Api
from tests.proctoring.scene import item, make_scene, service_was_always_there


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


def statuses(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["status"] for one in answer.json()["results"]]


def test_every_item_has_an_answer_and_a_repeat_changes_nothing(scene):
    session = scene.start()["id"]
    good, other = item("tab_switch", seq=1), item("paste", seq=2, detail={"length": 214})
    batch = [good, item("no_such_thing"), {"type": "copy"}, "nonsense", other, good]
    first = scene.log(session, *batch)
    assert statuses(first) == ["stored", "rejected", "rejected", "rejected", "stored", "duplicate"]
    assert [one["code"] for one in first.json()["results"]][1:4] == ["unknown_type", "invalid", "invalid"]
    stored = first.json()["results"][4]["violation"]
    assert (stored["severity"], stored["review"], stored["detail"]) == ("high", "not_reviewed", {"length": 214})
    assert stored["received_at"] is not None
    assert statuses(scene.log(session, good, other)) == ["duplicate", "duplicate"]
    assert Violation.objects.filter(session=session).count() == 2
    shown = scene.shown(session)
    assert (shown["violation_count"], shown["severities"]["high"], shown["severities"]["medium"]) == (2, 1, 1)


def test_the_same_batch_at_once_is_stored_once(scene, at_once):
    session = scene.start()["id"]
    batch = [item("copy"), item("tab_switch")]
    answers = at_once(lambda: scene.log(session, *batch), 4)
    assert sorted(status for answer in answers for status in statuses(answer)) == ["duplicate"] * 6 + ["stored"] * 2
    assert scene.shown(session)["violation_count"] == 2


def test_one_that_is_known_as_something_else_is_refused(scene):
    session = scene.start()["id"]
    one = item("copy")
    scene.log(session, one)
    again = scene.log(session, {**one, "type": "paste"})
    assert again.json()["results"][0]["code"] == "client_id_reused"


def test_gaps_in_the_counting_are_shown(scene):
    session = scene.start()["id"]
    answer = scene.log(session, item(seq=1), item("copy", seq=2), item("paste", seq=5)).json()
    assert (answer["gaps"], answer["last_seq"]) == ([3, 4], 5)
    assert scene.start()["violation_seq"] == 5


def test_a_clock_an_hour_off_is_corrected(scene):
    session = scene.start()["id"]
    now = datetime.now(UTC)
    ahead = timedelta(hours=1)
    happened = now + ahead - timedelta(seconds=30)
    answer = scene.log(session, item(occurred_at=happened.isoformat()), sent_at=(now + ahead).isoformat())
    told = answer.json()["results"][0]["violation"]
    assert abs(told["skew_ms"] - 3_600_000) < 20_000
    assert abs(datetime.fromisoformat(told["corrected_at"]) - (now - timedelta(seconds=30))) < timedelta(seconds=20)
    assert told["late_ms"] >= 10_000
    far = scene.log(session, item(occurred_at="2999-01-01T00:00:00Z"))
    assert far.json()["results"][0]["code"] == "from_the_future"
    old = scene.log(session, item(occurred_at="2001-01-01T00:00:00Z"))
    assert old.json()["results"][0]["code"] == "before_the_session"


@pytest.mark.parametrize(
    ("sent_at", "occurred_at", "answer"),
    [
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:50Z", "stored"),  # a clock of another age, and right by itself
        ("1970-01-01T00:10:00Z", "1970-01-01T00:09:55Z", "stored"),
        ("9999-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "before_the_session"),
        ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "before_the_session"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "from_the_future"),
        ("1970-01-01T00:10:00Z", "1970-01-02T00:20:00Z", "from_the_future"),
        (None, "9999-12-31T23:59:59Z", "from_the_future"),
        (None, "0001-01-01T00:00:00Z", "before_the_session"),
    ],
)
def test_a_clock_of_another_age_breaks_nothing(scene, sent_at, occurred_at, answer):
    session = scene.start()["id"]
    sent = {"sent_at": sent_at} if sent_at else {}
    logged = scene.log(session, item(occurred_at=occurred_at), **sent)
    assert logged.status_code == 200, logged.content
    first = logged.json()["results"][0]
    assert (first["code"] or first["status"]) == answer
    if first["violation"]:
        age = datetime.now(UTC) - datetime.fromisoformat(first["violation"]["corrected_at"])
        assert timedelta(0) <= age < timedelta(seconds=60)


def test_the_log_of_one_who_floods_is_full_some_time(scene, monkeypatch):
    monkeypatch.setattr(violations, "MOST_KEPT", 5)
    session, other = scene.start()["id"], scene.start(scene.sue)["id"]
    sent = [item("copy") for _ in range(7)]
    flooded = scene.log(session, *sent)
    assert statuses(flooded) == ["stored"] * 5 + ["rejected"] * 2
    assert flooded.json()["results"][5]["code"] == "log_full"
    assert statuses(scene.log(session, sent[0], item("paste"))) == ["duplicate", "rejected"]
    assert statuses(scene.log(other, item("paste"), user=scene.sue)) == ["stored"]
    assert scene.shown(session)["violation_count"] == 5


def test_a_burst_is_merged_and_every_entry_kept(scene):
    session = scene.start()["id"]
    now = datetime.now(UTC)
    batch = [item("mouse_leave", occurred_at=(now + timedelta(seconds=n)).isoformat()) for n in (0, 4, 9)]
    scene.log(session, *batch, item("copy"))
    rows = scene.tia.get(f"{scene.base}violations/", merged="true").json()["results"]
    assert {(row["type"], row["merged_count"]) for row in rows} == {("mouse_leave", 3), ("copy", 1)}
    assert len(scene.tia.get(f"{scene.base}violations/").json()["results"]) == 4
    assert scene.shown(session)["violation_count"] == 4
    assert statuses(scene.log(session, *batch)) == ["duplicate"] * 3


def test_severities_and_rules(scene):
    ExamRule.objects.create(workspace=scene.cast.workspace, exam=scene.exam, type="copy", is_counted=False)
    ExamRule.objects.create(workspace=scene.cast.workspace, exam=scene.exam, type="paste", severity="critical")
    session = scene.start()["id"]
    scene.log(session, item("copy"), item("paste"), item("blur", detail={"duration_ms": 9000}), item("network_change"))
    found = dict(Violation.objects.filter(session=session).values_list("type", "severity"))
    assert found == {"copy": "info", "paste": "critical", "focus_loss": "medium", "network_change": "info"}
    assert scene.shown(session)["violation_count"] == 2
    only = scene.tia.get(f"{scene.base}violations/", severity="critical").json()["results"]
    assert [row["type"] for row in only] == ["paste"]


def test_a_rule_pauses_once_at_its_threshold(scene):
    ExamRule.objects.create(workspace=scene.cast.workspace, exam=scene.exam, type="paste", threshold=2, action="pause")
    session = scene.start()["id"]
    scene.log(session, item("paste"))
    assert scene.shown(session)["status"] == "active"
    scene.log(session, item("paste"))
    assert scene.shown(session)["status"] == "paused"
    scene.tia.post(f"{scene.base}sessions/{session}/commands/", {"type": "resume"})
    scene.log(session, item("paste"))
    assert scene.shown(session)["status"] == "active"


def paused_by_rule(scene) -> tuple[str, list[str]]:
    ExamRule.objects.create(workspace=scene.cast.workspace, exam=scene.exam, type="paste", threshold=2, action="pause")
    session, now = scene.start()["id"], datetime.now(UTC)
    apart = [item("paste", occurred_at=(now - timedelta(seconds=ago)).isoformat()) for ago in (60, 0)]
    logged = [one["violation"]["id"] for one in scene.log(session, *apart).json()["results"]]
    assert scene.shown(session)["status"] == "paused"
    return session, logged


def test_forgiving_lets_go_whom_a_rule_has_paused(scene):
    session, logged = paused_by_rule(scene)
    scene.tia.patch(f"{scene.base}violations/{logged[0]}/", {"review": "suspicious"})
    assert scene.shown(session)["status"] == "paused"
    scene.tia.patch(f"{scene.base}violations/{logged[0]}/", {"review": "dismissed"})
    assert scene.shown(session)["status"] == "active"
    history = scene.tia.get(f"{scene.base}sessions/{session}/commands/").json()["results"]
    assert [(one["type"], one["reason"], bool(one["by"])) for one in history] == [
        ("resume", "forgiven", True),
        ("pause", "paste: 2", False),
    ]


def test_what_a_tutor_has_paused_the_tutor_lets_go(scene):
    session, logged = paused_by_rule(scene)
    for type_ in ("resume", "pause"):
        scene.tia.post(f"{scene.base}sessions/{session}/commands/", {"type": type_})
    scene.tia.patch(f"{scene.base}violations/{logged[0]}/", {"review": "dismissed"})
    assert scene.shown(session)["status"] == "paused"


def test_what_happened_offline_arrives_after_the_end_too(scene):
    session = scene.start()["id"]
    before = item("tab_switch")
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    assert statuses(scene.log(session, before)) == ["stored"]
    ExamSession.objects.filter(pk=session).update(ended_at=datetime.now(UTC) - timedelta(minutes=30))
    late = scene.log(session, item("copy"), sent_at=datetime.now(UTC).isoformat())
    assert late.json()["results"][0]["code"] == "after_the_end"


@pytest.mark.parametrize("body", [[], {"violations": []}, {"violations": "x"}, {}, {"violations": [{}] * 101}, 7])
def test_a_batch_that_is_none_is_400(scene, body):
    session = scene.start()["id"]
    assert Api(scene.cast.sam).post(f"/api/v1/sessions/{session}/violations", body).status_code == 400


def test_a_bare_list_is_a_batch(scene):
    session = scene.start()["id"]
    assert statuses(Api(scene.cast.sam).post(f"/api/v1/sessions/{session}/violations", [item()])) == ["stored"]


def test_a_student_reads_and_explains_their_own_log(scene):
    session = scene.start()["id"]
    violation = scene.log(session, item()).json()["results"][0]["violation"]["id"]
    path = f"/api/v1/sessions/{session}/violations"
    said = scene.sam.post(f"{path}/{violation}/explanation", {"explanation": "An update popped up."})
    assert said.json()["explanation"] == "An update popped up."
    reviewed = scene.tia.patch(
        f"{scene.base}violations/{violation}/", {"review": "dismissed", "reason": "update pop-up"}
    ).json()
    assert (reviewed["review"], reviewed["reviewed"]["by"]["name"], reviewed["reviewed"]["reason"]) == (
        "dismissed",
        "Tia",
        "update pop-up",
    )
    own = scene.sam.get(path).json()["results"][0]
    assert (own["review"], "reviewed" in own) == ("dismissed", False)
    assert "update pop-up" not in str(scene.sam.get(path).content)
    assert Api(scene.sue).get(path).status_code == 404
    assert Api(scene.sue).post(f"{path}/{violation}/explanation", {"explanation": "x"}).status_code == 404
    told = [event for event in events_after(topics.session(session), 0) if event.type.startswith("violation")]
    assert all("update pop-up" not in event.json for event in told)


def test_reviews_leave_a_trail_and_move_the_count(scene):
    session = scene.start()["id"]
    violation = scene.log(session, item("paste")).json()["results"][0]["violation"]["id"]
    assert scene.shown(session)["unreviewed_count"] == 1
    path = f"{scene.base}violations/{violation}/"
    scene.tia.patch(path, {"review": "suspicious", "reason": "look again"})
    scene.tia.patch(path, {"review": "violation", "reason": "sure"})
    assert scene.shown(session)["unreviewed_count"] == 0
    trail = scene.tia.get(path).json()["trail"]
    assert [(step["before"], step["after"], step["reason"]) for step in trail] == [
        ("not_reviewed", "suspicious", "look again"),
        ("suspicious", "violation", "sure"),
    ]
    assert scene.tia.patch(path, {"review": "guilty"}).status_code == 400
    for other in (scene.cast.ada, scene.cast.cleo, scene.cast.sam):
        assert Api(other).of(scene.cast.workspace.slug).patch(path, {"review": "verified"}).status_code == 404


def test_a_tutor_notes_what_they_saw(scene):
    session = scene.start()["id"]
    body = {"client_id": str(uuid4()), "severity": "high", "category": "examinee", "comment": "A phone on the desk"}
    noted = scene.tia.post(f"{scene.base}sessions/{session}/violations/", body)
    assert (noted.status_code, noted.json()["type"], noted.json()["severity"]) == (201, "manual_irregularity", "high")
    scene.tia.post(f"{scene.base}sessions/{session}/violations/", body)
    assert scene.shown(session)["violation_count"] == 1


def test_a_second_device_is_noticed_once(scene):
    session = scene.start(device="laptop")["id"]
    scene.beat(session, device="laptop")
    scene.start(device="phone")
    scene.start(device="laptop")
    log = Violation.objects.filter(session=session, type="duplicate_session")
    assert [row.severity for row in log] == ["critical"]
    assert ExamSession.objects.get(pk=session).critical_count == 1


def test_one_with_null_characters_is_refused_alone(scene):
    session = scene.start()["id"]
    batch = [item("copy"), item("paste", detail={"a": ["\0"]}), item("paste", detail={"\0": 1}), item("tab_switch")]
    answer = scene.log(session, *batch)
    assert statuses(answer) == ["stored", "rejected", "rejected", "stored"]
    assert answer.json()["results"][1]["client_id"] == str(batch[1]["client_id"])
