"""Students whom only the exam system knows: its signed word, then beats over HTTP and the socket alike."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import websockets
from asgiref.sync import sync_to_async

from proctoring.api import base
from proctoring.models import ExamSession
from proctoring.services.exams import withdraw
from proctoring.services.grants import TOKEN_HEADER
from tests.api import Api
from tests.live.web import Client, Web
from tests.proctoring.scene import Scene, make_scene, pulse_of, service_was_always_there, silent_for
from tests.proctoring.test_beats_live import calling, server

SECRET = "an exam system's secret of at least 32 bytes"
__all__ = ["calling", "server"]


@pytest.fixture
def scene() -> Scene:
    service_was_always_there()
    return make_scene(secrets={"signing": [SECRET]})


def begin(scene: Scene, sub: str = "pupil-9") -> tuple[str, str]:
    """The session and the token that stands for the exam system's word from now on."""
    claims = {"aud": "switchboard", "exam": scene.exam.slug, "role": "student", "sub": sub, "name": "Mei"}
    word = jwt.encode({**claims, "exp": datetime.now(UTC) + timedelta(hours=1)}, SECRET, "HS256")
    answer = Api().post(f"/api/v1/exams/{scene.exam.slug}/sessions", {"grant": word})
    assert answer.status_code == 201, answer.content
    return answer.json()["id"], answer.json()["token"]


@asynccontextmanager
async def at_socket(web: Web, token: str) -> AsyncIterator[Client]:
    options: dict[str, Any] = {"subprotocols": ["live.v1", f"bearer.{token}"], "proxy": None, "open_timeout": 30}
    async with websockets.connect(web.url, **options) as connection:
        yield Client(connection)


def test_a_beat_over_http_stands_for_them_and_for_nobody_else(scene: Scene, calling):
    session, token = begin(scene)
    other, _ = begin(scene, "pupil-10")
    nobody = calling(None)
    nobody.http.headers["X-Exam-Token"] = token
    assert nobody.beat(session, answered_count=3).status_code == 200
    assert pulse_of(session).answered_count == 3
    assert nobody.beat(other).status_code == 404
    nobody.http.headers["X-Exam-Token"] = token[:-2] + "AA"
    assert nobody.beat(session).status_code == 401


async def test_the_socket_knows_them_too(scene: Scene, server: Web):
    session, token = await sync_to_async(begin)(scene)
    other, _ = await sync_to_async(begin)(scene, "pupil-10")
    async with at_socket(server, token) as mei:
        assert (await mei.subscribe(f"session.{session}"))["op"] == "subscribed"
        assert (await mei.subscribe(f"session.{other}"))["code"] == "not_found"
        assert (await mei.subscribe(f"exam.{scene.exam.slug}"))["code"] == "not_found"
        await mei.tell(op="beat", session=session, answered_count=4, current_question=5)
        heard = await mei.until(lambda frame: frame["op"] in {"beat_ok", "error"})
        assert heard[-1]["op"] == "beat_ok", heard
        await sync_to_async(silent_for)(other, 8)
        await mei.tell(op="beat", session=other)
        assert (await mei.until(lambda frame: frame["op"] in {"beat_ok", "error"}))[-1]["code"] == "not_found"
    assert (await sync_to_async(pulse_of)(session)).answered_count == 4
    shown = await sync_to_async(scene.shown)(session)
    assert (shown["student"], shown["student_name"], shown["answered_count"]) == ("pupil-9", "Mei", 4)


async def test_taken_off_the_list_their_socket_is_closed(scene: Scene, server: Web):
    session, token = await sync_to_async(begin)(scene)

    def take_away() -> None:
        from crm.access import member_of

        ada = member_of(scene.cast.ada.pk, scene.cast.workspace.pk)
        withdraw(actor=ada, slug=scene.exam.slug, enrolment_id=scene.exam.enrolments.get(external_id="pupil-9").pk)

    async with at_socket(server, token) as mei:
        await mei.subscribe(f"session.{session}")
        await sync_to_async(take_away)()
        assert await mei.closed() == 4401
    async with at_socket(server, token) as again:
        assert await again.closed() == 4401
    assert await ExamSession.objects.filter(pk=session, status="active").aexists()


def test_students_behind_one_address_have_counts_of_their_own(scene, monkeypatch):
    monkeypatch.setattr(base, "A_MINUTE", 2)
    (first, one), (second, another) = begin(scene, "pupil-1"), begin(scene, "pupil-2")

    def ask(session: str, token: str) -> int:
        return Api()._client.get(f"/api/v1/sessions/{session}", headers={TOKEN_HEADER: token}).status_code

    assert [ask(first, one) for _ in range(3)] == [200, 200, 429]
    assert ask(second, another) == 200
