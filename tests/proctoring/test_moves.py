"""A session's states: which moves there are, and that no other one can be made."""

from itertools import product
from uuid import uuid4

import pytest

from config.errors import Conflict
from config.live.unit import unit_of_work
from proctoring.models import ExamSession
from proctoring.services.sessions import move
from proctoring.states import COMMAND_MOVES, LIVE, MOVES, SessionStatus
from tests.api import Api
from tests.cast import make_user
from tests.proctoring.scene import enrol, make_scene, service_was_always_there

# As people put it: who may follow whom
ALLOWED = {
    "active": {"paused", "submitted", "terminated", "expired"},
    "paused": {"active", "submitted", "terminated", "expired"},
    "expired": {"active", "submitted", "terminated"},
    "submitted": set(),
    "terminated": set(),
}
ROADS = {
    "active": (),
    "paused": ("paused",),
    "submitted": ("submitted",),
    "terminated": ("terminated",),
    "expired": ("expired",),
}


@pytest.fixture(scope="module")
def scene():
    service_was_always_there()
    return make_scene(attempts=100)


@unit_of_work
def moved(session_id: str, to: str) -> str:
    session = ExamSession.objects.select_for_update(of=("self",)).select_related("exam").get(pk=session_id)
    return move(session, SessionStatus(to)).stored_status


@pytest.mark.parametrize(
    ("before", "after"), [pair for pair in product(ALLOWED, ALLOWED) if pair[0] != pair[1]], ids="-".join
)
def test_a_session_moves_as_its_table_says_and_no_other_way(scene, before, after):
    student = make_user("student")
    enrol(scene, student)
    session = scene.start(student)["id"]
    for step in ROADS[before]:
        moved(session, step)
    if after in ALLOWED[before]:
        assert moved(session, after) == after
    else:
        with pytest.raises(Conflict) as refused:
            moved(session, after)
        assert refused.value.data["session_status"] == before
    kept = ExamSession.objects.get(pk=session)
    assert kept.status == (after if after in ALLOWED[before] else before)
    assert (kept.ended_at is None) == (kept.status in LIVE)


def test_the_table_is_in_one_place_and_whole():
    assert {one.value: {to.value for to in tos} for one, tos in MOVES.items()} == ALLOWED
    assert {state.value for state in COMMAND_MOVES} == {"queued", "delivered", "seen", "expired"}


def test_nobody_is_moved_by_strangers(scene):
    session = scene.start()["id"]
    for other in (scene.cast.ada, scene.cast.ben, scene.cast.cleo, scene.cast.sam):
        path = f"{scene.base}sessions/{session}/commands/"
        body = {"type": "terminate", "client_id": str(uuid4())}
        assert Api(other).of(scene.cast.workspace.slug).post(path, body).status_code == 404
    assert scene.shown(session)["status"] == "active"
