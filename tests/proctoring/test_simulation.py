"""The pupils who are none, on a real server."""

import os
import subprocess
import sys

from django.core.management import call_command

from proctoring.models import ExamSession, SessionPulse
from tests.live.web import ROOT, Web, _wait_for_answer, free_port
from tests.proctoring.scene import make_scene, service_was_always_there


def test_ten_pupils_sit_an_exam(tmp_path, capsys):
    service_was_always_there()
    scene = make_scene()
    port, log = free_port(), tmp_path / "web.log"
    command = [sys.executable, "-m", "config.servers.start", "--server", "uvicorn", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "SUPABASE_URL": ""}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_for_answer(port, process, log)
        web = Web(port, process, log)
        options = {"students": 10, "seconds": 9, "interval": 6, "url": f"http://127.0.0.1:{web.port}"}
        call_command("simulate_exam", exam=scene.exam.slug, **options)
    finally:
        process.terminate()
        process.wait(20)
    sessions = ExamSession.objects.filter(exam=scene.exam)
    assert sessions.count() == 10
    assert all(pulse.beats for pulse in SessionPulse.objects.filter(session__in=sessions))
    told = capsys.readouterr().out
    assert "beats: p50" in told
    assert "500" not in told
