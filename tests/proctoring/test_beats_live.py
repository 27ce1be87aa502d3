"""Beats on the road that real clients take: over HTTP and the socket of a server of its own."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import websockets
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings

from config.errors import Unavailable
from crm.models import User
from proctoring.beats import writer
from proctoring.beats.beat import Beat
from proctoring.beats.statement import WRITE, Written
from proctoring.liveness import LEAST_SECONDS
from proctoring.models import SessionPulse
from proctoring.people import Student
from tests.api import token_for
from tests.cast import make_user
from tests.crm.conftest import account_for
from tests.live.web import ROOT, Client, Web, _wait_for_answer, free_port
from tests.proctoring.scene import Scene, item, make_scene, pulse_of, service_was_always_there, silent_for

PATIENCE = 20.0


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def server(request, tmp_path_factory) -> Iterator[Web]:
    port, log = free_port(), tmp_path_factory.mktemp("web") / "web.log"
    command = [sys.executable, "-m", "config.servers.start", "--server", request.param, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "SUPABASE_URL": ""}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_for_answer(port, process, Path(log))
        yield Web(port, process, Path(log))
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene()


class Caller:
    def __init__(self, web: Web, user: User | None) -> None:
        headers = {"Authorization": f"Bearer {token_for(user)}"} if user else {}
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{web.port}", headers=headers, trust_env=False, timeout=PATIENCE
        )

    def beat(self, session: str, **body: Any) -> httpx.Response:
        return self.http.post(f"/api/v1/sessions/{session}/heartbeat", json=body)


@pytest.fixture
def calling(server):
    opened: list[Caller] = []

    def call(user: User | None) -> Caller:
        opened.append(Caller(server, user))
        return opened[-1]

    yield call
    for one in opened:
        one.http.close()


@asynccontextmanager
async def socket_of(web: Web, user: User) -> AsyncIterator[Client]:
    token = await sync_to_async(token_for)(user)
    options: dict[str, Any] = {"subprotocols": ["live.v1", f"bearer.{token}"], "proxy": None, "open_timeout": 30}
    async with websockets.connect(web.url, **options) as connection:
        yield Client(connection)


async def pulse(session: str) -> SessionPulse:
    return await sync_to_async(pulse_of)(session)


def test_a_beat_over_http_is_kept_before_it_is_answered(scene: Scene, calling):
    session, sam = scene.start()["id"], calling(scene.cast.sam)
    answer = sam.beat(session, current_question=4, answered_count=3, rtt_ms=38.6, network={"type": "wifi"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["next_interval"], answer.json()["commands"]) == ("active", 10, [])
    kept = pulse_of(session)
    assert (kept.current_question, kept.answered_count, kept.network, kept.beats) == (4, 3, "wifi", 1)
    early = sam.beat(session, current_question=5)
    assert (early.status_code, early.json()["code"]) == (429, "beat_too_early")
    assert 1 <= int(early.headers["Retry-After"]) <= 5
    assert early.headers["content-type"] == "application/problem+json"
    assert pulse_of(session).current_question == 4


def test_bad_beats_get_clear_codes_and_change_nothing(scene: Scene, calling):
    session, sam = scene.start()["id"], calling(scene.cast.sam)
    assert sam.beat(session, answered_count=-1).status_code == 400
    assert sam.beat(session, client_time="2999-01-01T00:00:00Z").json()["code"] == "from_the_future"
    refused = sam.beat(session, current_question=41)
    assert (refused.status_code, refused.json()["errors"]) == (
        400,
        {"current_question": ["The exam has 40 questions."]},
    )
    assert sam.http.post(f"/api/v1/sessions/{session}/heartbeat", content=b"{").status_code == 400
    assert sam.http.post(f"/api/v1/sessions/{session}/heartbeat", content=b"[]").status_code == 400
    assert sam.http.post(f"/api/v1/sessions/{session}/heartbeat", content=b"x" * 20_000).status_code == 413
    assert sam.http.get(f"/api/v1/sessions/{session}/heartbeat").status_code == 405
    assert sam.beat("nonsense").status_code == 404
    assert calling(scene.sue).beat(session).status_code == 404
    assert calling(scene.cast.cleo).beat(session).status_code == 404
    assert calling(scene.cast.tia).beat(session).status_code == 404
    assert calling(None).beat(session).status_code == 401
    assert pulse_of(session).beats == 0
    assert scene.sam.post(f"/api/v1/sessions/{session}/end", {}).status_code == 200
    late = sam.beat(session)
    assert (late.status_code, late.json()["code"], late.json()["session_status"]) == (409, "session_ended", "submitted")


def test_a_cookie_beats_with_its_csrf_token_alone(scene: Scene, server: Web, own_account):
    session = scene.start()["id"]
    base = f"http://127.0.0.1:{server.port}"
    with httpx.Client(base_url=base, headers={"Origin": base}, trust_env=False, timeout=PATIENCE) as browser:
        browser.get("/login")
        token = browser.cookies[django_settings.CSRF_COOKIE_NAME]
        account = own_account(scene.cast.sam)
        signed_in = browser.post(
            "/login", data={"email": account.email, "password": account.password}, headers={"X-CSRFToken": token}
        )
        assert signed_in.status_code == 303
        path = f"/api/v1/sessions/{session}/heartbeat"
        assert browser.post(path, json={}).status_code == 403
        token = browser.cookies[django_settings.CSRF_COOKIE_NAME]
        beaten = browser.post(path, json={}, headers={"X-CSRFToken": token})
        assert beaten.status_code == 200, beaten.text
        foreign = browser.post(path, json={}, headers={"X-CSRFToken": token, "Origin": "https://elsewhere.example"})
        assert foreign.status_code == 403


def test_tokens_that_come_at_once_are_each_answered_for_themselves(scene: Scene, server: Web):
    """They are written in batches, and what is wrong with one is nothing to the others."""
    session, gone = scene.start()["id"], make_user("gone")
    User.objects.filter(pk=gone.pk).update(deactivated_at="2026-01-01T00:00:00Z")
    brought = {
        token_for(scene.cast.sam): 200,
        token_for(scene.sue): 404,
        token_for(gone): 401,
        token_for(scene.sue, seconds=-60): 401,
        "a.b.c": 401,
        "sb_nothing": 401,
        "nothing": 401,
    }

    def beat(token: str) -> int:
        return httpx.post(
            f"http://127.0.0.1:{server.port}/api/v1/sessions/{session}/heartbeat",
            json={},
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=PATIENCE,
        ).status_code

    with ThreadPoolExecutor(len(brought)) as pool:
        assert dict(zip(brought, pool.map(beat, brought), strict=True)) == brought
    assert pulse_of(session).beats == 1


@pytest.fixture
def own_account():
    return account_for


async def test_a_beat_over_the_socket_is_answered_and_seen_by_the_tutor(scene: Scene, server: Web):
    session = (await sync_to_async(scene.start)())["id"]
    async with socket_of(server, scene.cast.tia) as tutor, socket_of(server, scene.cast.sam) as student:
        topic = f"exam.{scene.exam.slug}"
        assert (await tutor.subscribe(topic))["op"] == "subscribed"
        await student.tell(op="beat", session=session, current_question=7, answered_count=6)
        answer = await student.op("beat_ok", PATIENCE)
        assert (answer["session"], answer["next_interval"]) == (session, 10)
        assert (await pulse(session)).current_question == 7
        event = (await tutor.until(lambda f: f["op"] == "event", PATIENCE))[-1]
        assert (event["type"], event["data"]["id"], event["data"]["current_question"]) == (
            "session.updated",
            session,
            7,
        )
        told = (await tutor.until(lambda f: f["op"] == "signal", PATIENCE))[-1]
        assert told["type"] == "session.beats"
        assert set(told["data"]["sessions"]) == {session}
        await student.tell(op="beat", session=session)
        early = await student.op("error", PATIENCE)
        assert early["code"] == "beat_too_early"
        assert early["retry_after"] >= 1


async def test_strangers_beat_and_hear_nothing(scene: Scene, server: Web):
    session = (await sync_to_async(scene.start)())["id"]
    topics = (f"exam.{scene.exam.slug}", f"session.{session}", f"presence.exam.{scene.exam.slug}")
    for stranger in (scene.cast.cleo, scene.cast.ada, scene.sue):
        async with socket_of(server, stranger) as client:
            await client.tell(op="beat", session=session)
            assert (await client.op("error", PATIENCE))["code"] == "not_found"
            for topic in topics:
                assert (await client.subscribe(topic))["code"] == "not_found", topic
    async with socket_of(server, scene.cast.sam) as student:
        assert (await student.subscribe(topics[1]))["op"] == "subscribed"
        assert (await student.subscribe(topics[0]))["code"] == "not_found"
    assert (await pulse(session)).beats == 0


async def test_a_violation_reaches_the_tutor_and_the_students_own_log(scene: Scene, server: Web):
    session = (await sync_to_async(scene.start)())["id"]
    async with socket_of(server, scene.cast.tia) as tutor, socket_of(server, scene.cast.sam) as student:
        await tutor.subscribe(f"exam.{scene.exam.slug}")
        await student.subscribe(f"session.{session}")
        answer = await sync_to_async(scene.log)(session, item("paste"))
        assert answer.status_code == 200
        for client in (tutor, student):
            logged = (await client.until(lambda f: f.get("type") == "violation.logged", PATIENCE))[-1]
            assert logged["data"]["type"] == "paste"
            assert ("reviewed" in logged["data"]) == (client is tutor)


async def test_a_pause_reaches_the_student_with_the_next_beat_and_comes_back_as_seen(scene: Scene, server: Web):
    session = (await sync_to_async(scene.start)())["id"]
    order = {"type": "pause", "reason": "fire drill"}
    sent = await sync_to_async(scene.tia.post)(f"{scene.base}sessions/{session}/commands/", order)
    assert (sent.status_code, sent.json()["state"]) == (201, "queued")
    async with socket_of(server, scene.cast.sam) as student:
        await student.tell(op="beat", session=session)
        answer = await student.op("beat_ok", PATIENCE)
        assert answer["status"] == "paused"
        assert [(one["type"], one["state"]) for one in answer["commands"]] == [("pause", "delivered")]
        await sync_to_async(silent_for)(session, 8)
        await student.tell(op="beat", session=session, seen=[answer["commands"][0]["id"]])
        assert (await student.op("beat_ok", PATIENCE))["commands"] == []
    history = (await sync_to_async(scene.tia.get)(f"{scene.base}commands/")).json()["results"]
    assert [(one["type"], one["state"]) for one in history] == [("pause", "seen")]


async def test_a_flood_harms_nobody_else(scene: Scene, server: Web):
    session = (await sync_to_async(scene.start)())["id"]
    other = (await sync_to_async(scene.start)(scene.sue))["id"]
    async with socket_of(server, scene.cast.sam) as flooder, socket_of(server, scene.sue) as quiet:
        for _ in range(100):
            await flooder.tell(op="beat", session=session)
        await quiet.tell(op="beat", session=other)
        assert (await quiet.op("beat_ok", PATIENCE))["session"] == other
        answers = [(await flooder.hear(PATIENCE))["op"] for _ in range(100)]
        assert answers.count("beat_ok") == 1
    assert (await pulse(session)).beats == 1
    await asyncio.sleep(0)


def test_a_flood_over_http_harms_nobody_else(scene: Scene, calling):
    session, other = scene.start()["id"], scene.start(scene.sue)["id"]
    sam, sue = calling(scene.cast.sam), calling(scene.sue)
    asked = [(sam, session)] * 20 + [(sue, other)] + [(sam, session)] * 20
    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: one[0].beat(one[1]), asked))
    most = 1 + (time.monotonic() - began) // LEAST_SECONDS  # on a busy machine the next one is due meanwhile
    assert answers.pop(20).status_code == 200
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {answer.json()["code"] for answer in refused} == {"beat_too_early"}
    assert all(1 <= int(answer.headers["Retry-After"]) <= LEAST_SECONDS for answer in refused)
    assert len(answers) - len(refused) == pulse_of(session).beats <= most
    assert pulse_of(other).beats == 1


async def test_a_row_that_the_database_refuses_harms_nobody_else(monkeypatch):
    bad, good = uuid4(), [uuid4() for _ in range(3)]
    batches: list[int] = []

    async def commit(beats):
        batches.append(len(beats))
        if bad in {beat.session_id for beat in beats}:
            raise psycopg.DataError("no")
        nothing: dict[str, Any] = dict.fromkeys(Written._fields)
        said = {"is_live": True, "is_done": True, "exam": "x", "status": "active", "now": datetime.now(UTC)}
        return [Written(**{**nothing, **said, "place": place}) for place, _ in enumerate(beats)], []

    monkeypatch.setattr(writer, "_commit", commit)
    beats = [Beat(session_id=session, student=Student()) for session in (good[0], bad, *good[1:])]
    answers = await asyncio.gather(*(writer.write(beat) for beat in beats), return_exceptions=True)
    assert [isinstance(answer, Written) for answer in answers] == [True, False, True, True]
    assert isinstance(answers[1], Unavailable)
    assert batches == [4, 1, 1, 1, 1]


async def test_bad_beats_on_the_socket_get_the_same_codes_and_leave_it_open(scene: Scene, server: Web):
    session = (await sync_to_async(scene.start)())["id"]
    sues = (await sync_to_async(scene.start)(scene.sue))["id"]
    own = {"op": "beat", "session": session}
    bad: list[tuple[dict[str, Any], str]] = [
        ({"op": "beat"}, "not_found"),
        ({"op": "beat", "session": 7}, "not_found"),
        ({"op": "beat", "session": "nonsense"}, "not_found"),
        ({"op": "beat", "session": sues}, "not_found"),
        ({**own, "answered_count": -1}, "invalid"),
        ({**own, "current_question": 41}, "invalid"),
        ({**own, "seen": ["x"]}, "invalid"),
        ({**own, "device": "x" * 65}, "invalid"),
        ({**own, "client_time": "2999-01-01T00:00:00Z"}, "from_the_future"),
    ]
    async with socket_of(server, scene.cast.sam) as student:
        for frame, code in bad:
            await student.tell(**frame)
            assert (await student.op("error", PATIENCE))["code"] == code, frame
        for raw in ("{", "[]", '"beat"', b"\x00\xff"):
            await student.connection.send(raw)
            assert (await student.op("error", PATIENCE))["code"] == "invalid", raw
        assert (await pulse(session)).beats == 0
        await student.tell(**own, seq=5, answered_count=4)
        assert (await student.op("beat_ok", PATIENCE))["session"] == session
        await sync_to_async(silent_for)(session, 8)
        await student.tell(**own, seq=4, answered_count=3)
        late = await student.op("error", PATIENCE)
        assert (late["code"], late["client_seq"], (await pulse(session)).answered_count) == ("beat_out_of_order", 5, 4)
        await sync_to_async(scene.sam.post)(f"/api/v1/sessions/{session}/end", {})
        await student.tell(**own, seq=6, answered_count=9)
        over = await student.op("error", PATIENCE)
        assert (over["code"], over["session_status"]) == ("session_ended", "submitted")
    assert ((await pulse(session)).answered_count, (await pulse(sues)).beats) == (4, 0)


def test_an_account_taken_away_is_refused_at_the_next_beat(scene: Scene, calling):
    """The token is good and known by then; nobody looks its user up before the beat is written."""
    session, sam = scene.start()["id"], calling(scene.cast.sam)
    assert sam.beat(session).status_code == 200
    User.objects.filter(pk=scene.cast.sam.pk).update(deactivated_at="2026-01-01T00:00:00Z")
    refused = sam.beat(session)
    assert (refused.status_code, refused.json()["code"]) == (401, "deactivated")
    assert pulse_of(session).beats == 1


def test_what_writes_beats_is_short_enough_to_be_kept_parsed():
    """psycopg finds the parameters of longer statements anew with every batch."""
    assert len(WRITE) <= 4096


async def test_an_enrolment_or_account_taken_away_stops_beats(scene: Scene, server: Web):
    session = (await sync_to_async(scene.start)())["id"]
    async with socket_of(server, scene.cast.sam) as student:
        await sync_to_async(User.objects.filter(pk=scene.cast.sam.pk).update)(deactivated_at="2026-01-01T00:00:00Z")
        await student.tell(op="beat", session=session)
        assert (await student.op("error", PATIENCE))["code"] == "not_found"
    assert (await pulse(session)).beats == 0
