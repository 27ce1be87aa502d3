"""A tutor's grid while five hundred students beat, answer and are noticed: script and layout of each frame, and how
long it takes until something noticed stands there."""

import os
import sys

from copies import CHROMIUMS, until_login
from processes import ROOT, free_port, plain_environment
from report import Result, Row, median, ms, percentile
from stage import Stage

from config.env import RUN_FILE, shell_file

TITLE = "the tutors' grid with {students} students at their exam, {seconds} s of trace"
MOST_MS, SEEN_MS = 12, 300


def take(stage: Stage) -> Result:
    students, seconds = (60, 10) if stage.quick else (500, 60)
    result = Result("dashboard", TITLE.format(students=students, seconds=seconds))
    chromium = next((path for path in CHROMIUMS if os.access(path, os.X_OK)), None)
    if chromium is None:
        result.skipped = f"there is no Chromium at {CHROMIUMS[0]}"
        return result
    var_dir, port = stage.folder / "copy-exam", free_port()
    environment = plain_environment() | {
        "PORT": str(port),
        "SIMULATOR_PORT": str(free_port()),
        "VAR_DIR": str(var_dir),
        "DEMO": "1",
        "ASGI_SERVER": "uvicorn",
        "SIMULATOR_CUSTOMERS": "0",
        "PYTHONPATH": str(ROOT),
    }
    copy = stage.start("copy-exam", [sys.executable, "-m", "config.run"], environment=environment, quiet=True)
    until_login(copy, port)
    words = ["simulate_exam", "--students", str(students), "--seconds", "900", "--url", f"http://127.0.0.1:{port}"]
    inside = environment | shell_file(var_dir / RUN_FILE) | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    pupil = stage.ask("pupil", "dashboard_pupil.py", {"name": "bench-pupil"}, environment=inside)
    pupils = stage.start("pupils", [sys.executable, "manage.py", *words], environment=inside, quiet=True)
    spec = {
        "port": port,
        "students": students,
        "seconds": seconds,
        "violations": seconds,
        "password": "demo-password",
        "chromium": chromium,
        "pupil": pupil,
    }
    heard = stage.ask("dashboard", "dashboard_probe.py", spec, seconds=600, environment=plain_environment())
    stage.stop(pupils)
    stage.stop(copy)
    frames, figure = heard["frames_ms"], percentile(heard["frames_ms"], 0.95)
    seen = percentile(heard["seen_ms"], 0.95)
    result.rows = [
        Row("script and layout of a frame, p95", ms(figure), target=f"< {MOST_MS} ms", holds=figure < MOST_MS),
        Row("script and layout of a frame, p50", ms(median(frames))),
        Row("the longest frame", ms(max(frames))),
        Row("frames in which something was done", f"{len(frames):,}"),
        Row("a violation on the tutor's screen, p95", ms(seen), target=f"< {SEEN_MS} ms", holds=seen < SEEN_MS),
        Row("a violation on the tutor's screen, p50", ms(median(heard["seen_ms"]))),
    ]
    result.notes.append(f"{heard['cards']} cards in the page, {heard['events']} rows came into the stream")
    result.raw = heard
    return result
