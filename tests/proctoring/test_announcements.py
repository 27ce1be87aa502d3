"""Past announcements as their tutors find them: each once, with how far it has come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proctoring.models import Command
from proctoring.services.commands import expire_commands
from tests.api import Api
from tests.cast import make_user
from tests.proctoring.scene import enrol, make_scene, service_was_always_there


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


def announce(scene, body: str, **more) -> str:
    answer = scene.tia.post(f"{scene.base}commands/", {"type": "announcement", "body": body, "all": True, **more})
    return answer.json()["results"][0]["command"]["batch"]


def listed(scene, **query) -> list[dict[str, Any]]:
    answer = scene.tia.get(f"{scene.base}announcements/", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_each_stands_there_once_with_how_far_it_has_come(scene):
    assert listed(scene) == []
    session = scene.start()["id"]
    scene.start(scene.sue)
    first = announce(scene, "Question 12 has a typo")
    scene.beat(session)
    second = announce(scene, "الوقت ينتهي", urgent=True)
    scene.tia.post(f"{scene.base}commands/", {"type": "message", "body": "Look up", "all": True})
    newest, oldest = listed(scene)
    assert (newest["batch"], newest["body"], newest["is_urgent"]) == (second, "الوقت ينتهي", True)
    assert (oldest["batch"], oldest["by"]["name"], oldest["students"]) == (first, "Tia", 2)
    assert oldest["reached"] == {"queued": 1, "delivered": 1, "seen": 0, "expired": 0}
    told = Command.objects.get(batch=first, session=session)
    scene.sam.post(f"/api/v1/sessions/{session}/commands", {"commands": [str(told.pk)]})
    Command.objects.filter(batch=first).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    expire_commands()
    assert listed(scene)[1]["reached"] == {"queued": 0, "delivered": 0, "seen": 1, "expired": 1}


def test_the_list_goes_by_pages_and_costs_the_same_for_many(scene, assert_queries):
    for place in range(3):
        user = make_user("pupil")
        enrol(scene, user)
        scene.start(user)
        announce(scene, f"Number {place}")
    answer = scene.tia.get(f"{scene.base}announcements/", limit=2).json()
    assert [(one["body"], one["students"]) for one in answer["results"]] == [("Number 2", 3), ("Number 1", 2)]
    rest = Api(scene.cast.tia).get(answer["next"]).json()
    assert [one["body"] for one in rest["results"]] == ["Number 0"]
    with assert_queries(6):
        assert len(listed(scene)) == 3


def test_nobody_else_finds_them(scene):
    scene.start()
    announce(scene, "Ten minutes left")
    for other in (scene.cast.ada, scene.cast.ben, scene.cast.cleo, scene.cast.sam):
        assert Api(other).of(scene.cast.workspace.slug).get(f"{scene.base}announcements/").status_code == 404
