"""kill -9 in the middle of beats: what was acknowledged is kept, and nobody is blamed."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from proctoring.models import SessionPulse, Violation
from tests.api import token_for
from tests.cast import make_user
from tests.live.web import ROOT, _wait_for_answer, free_port
from tests.proctoring.scene import enrol, make_scene, service_was_always_there

STUDENTS = 12
ENOUGH = 6  # acknowledged beats after which the process dies


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
