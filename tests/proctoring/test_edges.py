"""Connection edges, expiry, and outages of ours: written where they happened, and never held against a student."""

from datetime import UTC, datetime, timedelta

import pytest

from config.live.events import events_after
from proctoring import crons, topics, watch
from proctoring.models import ExamSession, ServiceMark, SessionGap, Violation
from proctoring.services import edges, service
from tests.proctoring.scene import make_scene, pulse_of, service_was_always_there, silent_for


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


def types_of(session) -> list[str]:
    return list(Violation.objects.filter(session=session).order_by("pk").values_list("type", flat=True))


def test_a_lost_connection_is_written_once_and_told(scene):
    session = scene.start()["id"]
    scene.beat(session)
    silent_for(session, 25)
    before = events_after(topics.exam(scene.exam.slug), 0)[-1].seq
    edges.write_edges()
    edges.write_edges()
    assert types_of(session) == ["connection_lost"]
    told = events_after(topics.exam(scene.exam.slug), before)
    assert [(event.type, event.data.get("status")) for event in told] == [
        ("violation.logged", None),
        ("session.updated", "disconnected"),
    ]
    assert scene.shown(session)["violation_count"] == 0


def test_the_next_beat_recovers_and_the_ledger_shows_the_loss(scene):
    session = scene.start()["id"]
    scene.beat(session)
    silent_for(session, 40)
    edges.write_edges()
    assert scene.beat(session).status_code == 200
    assert types_of(session) == ["connection_lost", "connection_restored"]
    shown = scene.shown(session)
    assert shown["status"] == "active"
    assert 38 <= shown["lost_seconds"] <= 60
    assert [gap["cause"] for gap in shown["gaps"]] == ["connection"]


def test_what_the_beat_could_not_write_the_sweep_does(scene):
    session = scene.start()["id"]
    silent_for(session, 40)
    edges.write_edges()
    pulse = pulse_of(session)
    pulse.seen_at = datetime.now(UTC)
    pulse.save(update_fields=["seen_at"])
    edges.write_edges()
    assert types_of(session) == ["connection_lost", "connection_restored"]


def test_lost_time_is_given_back_in_one_call(scene):
    session = scene.start()["id"]
    silent_for(session, 70)
    edges.write_edges()
    scene.beat(session)
    answer = scene.tia.post(f"{scene.base}sessions/{session}/compensate", {})
    assert answer.json()["given_back_seconds"] == 120
    assert scene.tia.post(f"{scene.base}sessions/{session}/compensate", {}).json()["given_back_seconds"] == 0
    shown = scene.shown(session)
    assert (shown["extra_seconds"], shown["given_back_seconds"]) == (120, 120)


def test_two_minutes_of_silence_expire_and_coming_back_goes_on(scene):
    session = scene.start()["id"]
    scene.beat(session, current_question=5, answered_count=4)
    silent_for(session, 100)
    edges.expire_silent()
    assert scene.shown(session)["status"] == "disconnected"
    silent_for(session, 125)
    edges.expire_silent()
    shown = scene.shown(session)
    assert (shown["status"], shown["end_reason"]) == ("expired", "silence")
    assert scene.beat(session).status_code == 409
    again = scene.start()
    assert (again["id"], again["status"], again["answered_count"]) == (session, "active", 4)
    assert again["ended_at"] is None
    assert scene.beat(session).status_code in {200, 429}


def test_what_was_handed_in_never_expires(scene):
    session = scene.start()["id"]
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    silent_for(session, 500)
    edges.expire_silent()
    assert scene.shown(session)["status"] == "submitted"


def test_a_hidden_page_whose_timers_sleep_is_not_called_away(scene):
    session = scene.start()["id"]
    scene.beat(session, visibility="hidden", timer_delay_ms=50_000)
    silent_for(session, 60)
    shown = scene.shown(session)
    assert (shown["status"], shown["connection"]) == ("active", "throttled")
    silent_for(session, 80)
    assert scene.shown(session)["status"] == "disconnected"


@pytest.mark.parametrize(
    ("body", "connection"),
    [({}, "online"), ({"idle_ms": 130_000}, "idle"), ({"visibility": "hidden"}, "hidden")],
    ids=["online", "idle", "hidden"],
)
def test_what_keeps_a_student_quiet_is_told_apart(scene, body, connection):
    session = scene.start()["id"]
    scene.beat(session, **body)
    assert scene.shown(session)["connection"] == connection


def test_silence_during_our_own_outage_is_ours(scene):
    session = scene.start()["id"]
    scene.beat(session)
    ExamSession.objects.filter(pk=session).update(started_at=datetime.now(UTC) - timedelta(minutes=9))
    silent_for(session, 61)
    ServiceMark.objects.filter(pk=1).update(alive_at=datetime.now(UTC) - timedelta(seconds=60))
    assert watch.look() or service.is_away() is False
    shown = scene.shown(session)
    assert (shown["status"], shown["connection"]) == ("active", "online")
    assert types_of(session) == []
    assert [gap["cause"] for gap in shown["gaps"]] == ["service"]
    assert 58 <= shown["gaps"][0]["seconds"] <= 70
    assert scene.beat(session).status_code == 200
    service_was_always_there()


@pytest.mark.parametrize(("away", "is_outage"), [(3, True), (1, False)])
def test_a_restart_is_an_outage_of_ours_however_quick(scene, away, is_outage):
    """Everybody was thrown out and comes back over some seconds; with another process there nobody was."""
    session = scene.start()["id"]
    scene.beat(session)
    silent_for(session, 25)
    ServiceMark.objects.filter(pk=1).update(alive_at=datetime.now(UTC) - timedelta(seconds=away))
    assert watch.look(service.AWAY_BEFORE_START)
    assert scene.shown(session)["status"] == ("active" if is_outage else "disconnected")
    assert [gap["cause"] for gap in scene.shown(session)["gaps"]] == ["service"] * is_outage
    service_was_always_there()


def test_while_we_are_away_the_cron_expires_nobody(scene):
    session = scene.start()["id"]
    silent_for(session, 300)
    ServiceMark.objects.filter(pk=1).update(alive_at=datetime.now(UTC) - timedelta(seconds=60))
    assert crons.clean_stale_sessions() == {"away": True}
    assert ExamSession.objects.get(pk=session).status == "active"
    service_was_always_there()
    assert crons.clean_stale_sessions()["expired"] >= 1


def test_past_its_time_a_session_is_closed(scene):
    scene.exam.duration_seconds = 60
    scene.exam.save()
    session = scene.start()["id"]
    ExamSession.objects.filter(pk=session).update(started_at=datetime.now(UTC) - timedelta(minutes=5))
    edges.expire_overdue()
    assert scene.shown(session)["end_reason"] == "time_over"
    assert scene.sam.post(f"/api/v1/sessions/{session}/end", {}).json()["status"] == "submitted"


def test_edges_at_once_from_two_processes_are_written_once(scene, at_once):
    session = scene.start()["id"]
    silent_for(session, 40)
    assert not [error for error in at_once(edges.write_edges, 3) if isinstance(error, Exception)]
    edges.write_edges()
    assert types_of(session) == ["connection_lost"]
    assert SessionGap.objects.filter(session=session).count() == 0
