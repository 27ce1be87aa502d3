"""In which order a web process starts."""

import gc
import importlib
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from config.servers import start
from proctoring import watch
from tests.live.web import ROOT


def test_exams_are_watched_once_the_application_is_loaded_and_before_the_first_request(monkeypatch):
    """Loading takes seconds, in which no student can beat: that time belongs to the outage."""
    steps: list[str] = []

    def load(name: str) -> Any:
        steps.append(f"load {name}")
        return SimpleNamespace(application=object(), run=serve)

    def serve(application: object, listening: object, ending: Callable[[], None]) -> None:
        steps.append("serve")
        ending()

    def nothing(*_: object) -> None:
        """In the place of what would change this process."""

    for name in ("_refusal", "_look_for_gaps", "raise_file_limit"):
        monkeypatch.setattr(start, name, nothing)
    monkeypatch.setattr(start, "_listen", lambda *_: SimpleNamespace(getsockname=lambda: "nowhere"))
    monkeypatch.setattr("django.setup", nothing)
    monkeypatch.setattr(gc, "freeze", nothing)
    monkeypatch.setattr(gc, "set_threshold", nothing)
    monkeypatch.setattr(start, "_watch_exams", lambda: steps.append("watch"))
    monkeypatch.setattr(importlib, "import_module", load)
    monkeypatch.setattr(watch, "stop", lambda: steps.append("watch no more"))
    words = ["--server", "uvicorn", "--application", "made.up:application"]
    assert start.main(words) == 0
    assert steps == ["load config.servers.uvicorn_runner", "load made.up", "watch", "serve", "watch no more"]


def test_every_page_is_loaded_with_the_application():
    """Not by the first request, behind which all sockets would wait."""
    program = "import config.asgi, sys; sys.exit('config.urls' not in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
