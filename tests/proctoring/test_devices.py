"""Two browsers at one sitting: which they are is told in words, and one of them can be ended."""

from typing import Any
from uuid import uuid4

import pytest

from config.live.events import events_after
from proctoring import topics
from proctoring.models import Violation
from proctoring.user_agents import browser_of
from tests.api import Api
from tests.proctoring.scene import Scene, make_scene, service_was_always_there, silent_for

LAPTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
PHONE = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"
TABLET = (
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/604.1"
)


@pytest.fixture
def scene() -> Scene:
    service_was_always_there()
    return make_scene()


def begin(scene: Scene, device: str, agent: str) -> Any:
    path, body = f"/api/v1/exams/{scene.exam.slug}/sessions", {"device": device}
    return scene.sam._client.post(path, body, content_type="application/json", headers={"user-agent": agent})


@pytest.fixture
def session(scene: Scene) -> str:
    """Sam at the laptop, and then at the phone too."""
    started: str = begin(scene, "laptop", LAPTOP).json()["id"]
    assert begin(scene, "phone", PHONE).status_code == 200
    return started


def devices(scene: Scene, session: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in scene.shown(session)["devices"]}


def end(scene: Scene, session: str, device: str, **more: Any) -> Any:
    return scene.tia.post(f"{scene.base}sessions/{session}/commands/", {"type": "end_device", "device": device, **more})


def beat(scene: Scene, session: str, device: str) -> list[Any]:
    silent_for(session, 8)
    answer = scene.beat(session, device=device)
    assert answer.status_code == 200, answer.content
    return [(one["type"], one["device"], one["state"]) for one in answer.json()["commands"]]


def test_which_browsers_they_are_is_told_in_words(scene, session):
    told = [(one["browser"], one["system"], one["ended_at"]) for one in scene.shown(session)["devices"]]
    assert told == [("Chrome", "Windows", None), ("Chrome", "Android", None)]
    noted = Violation.objects.get(session=session, type="duplicate_session")
    assert noted.detail == {"devices": ["laptop", "phone"], "browser": "Chrome", "system": "Android"}


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (LAPTOP, ("Chrome", "Windows")),
        (PHONE, ("Chrome", "Android")),
        (TABLET, ("Safari", "iPad")),
        (LAPTOP + " Edg/131.0.0.0", ("Edge", "Windows")),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", ("Firefox", "Linux")),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0 Safari/537.36",
            ("Chrome", "ChromeOS"),
        ),
        ("python-httpx/0.28", ("", "")),
        ("", ("", "")),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_browsers_are_known_by_what_they_say(agent, words):
    found = browser_of(agent)
    assert (found.get("browser", ""), found.get("system", "")) == words


def test_the_second_one_is_ended_and_the_first_goes_on(scene, session):
    phone = devices(scene, session)["phone"]["id"]
    ended = end(scene, session, phone, reason="One is enough")
    assert (ended.status_code, ended.json()["device"], ended.json()["state"]) == (201, "phone", "queued")
    assert beat(scene, session, "laptop") == []  # not for this one
    assert scene.sam.get(f"/api/v1/sessions/{session}/commands").json()["results"] == []
    assert beat(scene, session, "phone") == [("end_device", "phone", "delivered")]
    seen = scene.sam.post(f"/api/v1/sessions/{session}/commands", {"commands": [ended.json()["id"]]})
    assert [one["state"] for one in seen.json()["results"]] == ["seen"]
    refused = begin(scene, "phone", PHONE)
    assert (refused.status_code, refused.json()["code"]) == (409, "device_ended")
    assert begin(scene, "laptop", LAPTOP).json()["id"] == session
    assert scene.shown(session)["status"] == "active"
    told = [event.data["device"] for event in events_after(topics.session(session), 0) if "command" in event.type]
    assert set(told) == {"phone"}


def test_one_that_was_ended_is_let_in_again(scene, session):
    phone = devices(scene, session)["phone"]["id"]
    path = f"{scene.base}sessions/{session}/devices/{phone}/allow"
    end(scene, session, phone)
    for other in (scene.cast.ada, scene.cast.cleo, scene.cast.sam):
        assert Api(other).of(scene.cast.workspace.slug).post(path).status_code == 404
    assert begin(scene, "phone", PHONE).status_code == 409
    assert [scene.tia.post(path).json()["ended_at"] for _ in range(2)] == [None, None]
    assert begin(scene, "phone", PHONE).status_code == 200
    assert scene.tia.post(f"{scene.base}sessions/{session}/devices/{uuid4()}/allow").status_code == 404


def test_nobody_is_locked_out_of_every_device(scene, session):
    there = devices(scene, session)
    assert end(scene, session, there["laptop"]["id"]).status_code == 201
    last = end(scene, session, there["phone"]["id"])
    assert (last.status_code, last.json()["code"]) == (409, "last_device")
    for wrong in ({"device": str(uuid4())}, {"device": there["laptop"]["id"]}, {}, {"device": "x"}):
        body = {"type": "end_device", **wrong}
        assert scene.tia.post(f"{scene.base}sessions/{session}/commands/", body).status_code == 400, wrong
    stray = {"type": "pause", "device": there["phone"]["id"]}
    assert scene.tia.post(f"{scene.base}sessions/{session}/commands/", stray).status_code == 400
    other = scene.start(scene.sue, device="phone")["id"]
    assert end(scene, other, there["phone"]["id"]).status_code == 400  # another session's


def test_both_tutors_end_one_of_two_at_once_and_one_stays(scene, session, at_once):
    there = devices(scene, session)
    calls = [lambda id_=one["id"]: end(scene, session, id_).status_code for one in there.values()]
    assert sorted(at_once(calls)) == [201, 409]
    assert len([one for one in devices(scene, session).values() if one["ended_at"] is None]) == 1


def test_a_device_that_has_only_beaten_is_there_too(scene):
    session = begin(scene, "laptop", LAPTOP).json()["id"]
    scene.beat(session, device="laptop")
    silent_for(session, 8)
    scene.beat(session, device="stick")
    there = devices(scene, session)
    assert (there["stick"]["browser"], there["stick"]["system"]) == ("", "")
    assert end(scene, session, there["stick"]["id"]).status_code == 201
