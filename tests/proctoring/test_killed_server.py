"""A server that dies in the middle of beats, or takes its time to end: what was acknowledged is kept, and nobody is
blamed."""

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from proctoring.models import ServiceMark, SessionPulse, Violation
from proctoring.services import service
from tests.api import token_for
from tests.cast import make_user
from tests.live.web import ROOT, _wait_for_answer, free_port, web
from tests.proctoring.scene import enrol, make_scene, service_was_always_there
from tests.waiting import wait_for

STUDENTS = 12
ENOUGH = 6  # acknowledged beats after which the process dies
# What each server waits for when it ends: half a request, and a socket whose client does not answer
HOLDING = (
    b"POST /api/v1/users/me HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
    b"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: live.v1\r\n\r\n",
)


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_no_acknowledged_beat_is_lost(tmp_path: Path, kind: str):
    service_was_always_there()
    scene = make_scene()
    port, log = free_port(), tmp_path / "web.log"
    command = [sys.executable, "-m", "config.servers.start", "--server", kind, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "SUPABASE_URL": ""}, stdout=output, stderr=subprocess.STDOUT
        )
    sessions: dict[Any, str] = {}
    acknowledged: dict[str, int] = {}
    enough = threading.Event()

    def beat(session: str, token: str, answered: int) -> None:
        try:
            answer = httpx.post(
                f"http://127.0.0.1:{port}/api/v1/sessions/{session}/heartbeat",
                json={"answered_count": answered},
                headers={"Authorization": f"Bearer {token}"},
                trust_env=False,
                timeout=30,
            )
        except httpx.HTTPError:
            return
        if answer.status_code == 200:
            acknowledged[session] = answered
        if len(acknowledged) >= ENOUGH:
            enough.set()

    try:
        _wait_for_answer(port, process, log)
        # Not before there is somebody to hear their beats
        for _ in range(STUDENTS):
            student = make_user("student")
            enrol(scene, student)
            sessions[scene.start(student)["id"]] = token_for(student)
        threads = [
            threading.Thread(target=beat, args=(session, token, place + 1))
            for place, (session, token) in enumerate(sessions.items())
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join(40)
    finally:
        process.kill()
        process.wait(20)
    assert len(acknowledged) >= ENOUGH
    kept = dict(SessionPulse.objects.filter(pk__in=list(acknowledged)).values_list("pk", "answered_count"))
    assert {str(session): count for session, count in kept.items()} == acknowledged
    assert not Violation.objects.filter(session__in=sessions).exists()


@pytest.mark.parametrize("kind", ["uvicorn", "daphne"])
def test_what_a_restart_takes_is_ours_from_the_moment_the_server_ends(tmp_path: Path, kind: str):
    """It takes no beats any more, so what is silent from then on is so for our sake."""
    service_was_always_there()
    with web(kind, tmp_path / "web.log", application="config.asgi:application") as server:
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in HOLDING]
        for line, words in zip(held, HOLDING, strict=True):
            line.sendall(words)
        assert held[-1].recv(12) == b"HTTP/1.1 101"
        at_first = mark().alive_at
        wait_for(lambda: mark().alive_at > at_first)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
        ended = now()
        for line in held:
            line.close()
    last = mark().alive_at
    assert ended - last > service.AWAY_BEFORE_START
    with web(kind, tmp_path / "again.log", application="config.asgi:application"):
        assert mark().back_at > ended
    service_was_always_there()


def mark() -> ServiceMark:
    return ServiceMark.objects.get(pk=1)


def now() -> datetime:
    """By the clock that the mark is made with."""
    with connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        return cursor.fetchone()[0]
