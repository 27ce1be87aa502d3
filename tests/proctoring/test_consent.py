"""Consent to be watched: withdrawn by the student at any time, and given again."""

import csv
import io
from datetime import datetime

import pytest

from config.live.events import events_after
from proctoring import topics
from proctoring.models import Exam, SessionSummary
from tests.api import Api
from tests.proctoring.scene import item, make_scene, pulse_of, service_was_always_there, silent_for


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


def told(scene, after=0):
    return events_after(topics.exam(scene.exam.slug), after, limit=100)


def test_consent_is_withdrawn_at_once_shown_and_given_again(scene):
    Exam.objects.filter(pk=scene.exam.pk).update(requires_consent=True, policy_version="3")
    agreed = {"policy_version": "3"}
    session = scene.start(consent=agreed, device="laptop")["id"]
    own = f"/api/v1/sessions/{session}"
    before = item()
    scene.log(session, before)
    assert scene.beat(session, visibility="hidden", rtt_ms=80, network="wifi").status_code == 200
    heard = len(told(scene))
    plain = scene.tia.get(f"{scene.base}report.pdf").content
    first = scene.sam.delete(f"{own}/consent")
    withdrawn = first.json()["consent_withdrawn_at"]
    assert (first.status_code, first.json()["status"]) == (200, "active")
    assert scene.sam.delete(f"{own}/consent").json() == first.json()
    assert first.json()["network"] == {
        "rtt_ms": None,
        "type": "",
        "timer_delay_ms": 0,
        "idle_ms": 0,
        "is_hidden": False,
    }

    # The tutors hear of it once, with its time
    news = told(scene)[heard:]
    assert [(one.type, one.data.get("type", "")) for one in news] == [
        ("violation.logged", "consent_withdrawn"),
        ("session.updated", ""),
    ]
    shown = scene.shown(session)
    assert (shown["consent_withdrawn_at"], shown["violation_count"]) == (withdrawn, 1)
    assert shown["consents"][0]["withdrawn_at"] == withdrawn

    # Nothing is captured, and the sitting goes on
    pulse_before = pulse_of(session)
    silent_for(session, 10)
    beat = {"visibility": "hidden", "rtt_ms": 90, "network": "4g", "idle_ms": 9, "timer_delay_ms": 9, "device": "phone"}
    assert scene.beat(session, current_question=7, **beat).status_code == 200
    pulse = pulse_of(session)
    assert (pulse.current_question, pulse.last_heartbeat > pulse_before.last_heartbeat) == (7, True)
    assert (pulse.is_hidden, pulse.rtt_ms, pulse.network, pulse.idle_ms, pulse.timer_delay_ms, pulse.device) == (
        False,
        None,
        "",
        0,
        0,
        "laptop",
    )
    assert pulse.trail_at == pulse_before.trail_at
    between = item()
    early = item(occurred_at=before["occurred_at"])  # noticed while there was consent, and told late
    refused, same, late = scene.log(session, between, before, early).json()["results"]
    assert (refused["status"], refused["code"]) == ("rejected", "consent_withdrawn")
    assert (same["status"], late["status"]) == ("duplicate", "stored")
    assert scene.start(consent=agreed, device="phone")["consent_withdrawn_at"] == withdrawn  # a page's load is no word
    assert pulse_of(session).device == "laptop"

    # It stands in the sheet and in what one gets of one's own
    [line] = csv.DictReader(io.StringIO(scene.tia.get(f"{scene.base}report.csv").content.decode("utf-8-sig")))
    assert datetime.fromisoformat(line["consent_withdrawn_at"]) == datetime.fromisoformat(withdrawn)
    assert len(scene.tia.get(f"{scene.base}report.pdf").content) > len(plain)  # a section of its own
    everything = scene.tia.get(f"{scene.base}students/{scene.cast.sam.pk}/").json()["sessions"][0]
    assert everything["consents"][0]["withdrawn_at"] == withdrawn

    # Given again, to the rules as they are now
    assert scene.sam.post(f"{own}/consent", {"policy_version": "2"}).json()["code"] == "consent_required"
    for _ in range(2):
        again = scene.sam.post(f"{own}/consent", agreed)
        assert (again.status_code, again.json()["consent_withdrawn_at"]) == (200, None)
    assert [one["withdrawn_at"] for one in scene.shown(session)["consents"]] == [withdrawn, None]
    [still] = scene.log(session, between).json()["results"]
    assert (still["status"], still["code"]) == ("rejected", "consent_withdrawn")
    [new] = scene.log(session, item("copy")).json()["results"]
    assert new["status"] == "stored"
    entries = [one["type"] for one in scene.sam.get(f"{own}/violations").json()["results"]]
    assert (entries.count("consent_withdrawn"), entries.count("consent_given")) == (1, 1)


def test_consent_is_ones_own_to_withdraw(scene):
    session = scene.start()["id"]
    path = f"/api/v1/sessions/{session}/consent"
    for stranger in (Api(scene.sue), scene.cleo, Api(scene.cast.tia)):
        assert (stranger.delete(path).status_code, stranger.post(path, {"policy_version": "1"}).status_code) == (
            404,
            404,
        )
    assert scene.shown(session)["consent_withdrawn_at"] is None
    scene.sam.post(f"/api/v1/sessions/{session}/end")
    assert scene.sam.delete(path).json()["consent_withdrawn_at"]  # also afterwards
    assert SessionSummary.objects.get(session=session).data["consent_withdrawn_at"]
    assert scene.sam.post(path, {"policy_version": "1"}).json()["code"] == "session_ended"
