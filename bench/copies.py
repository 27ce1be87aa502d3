"""Whole copies of the product, as `make run` starts them, in folders and on ports of their own."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from processes import ROOT, BenchError, Process, free_port, plain_environment, status_of
from report import NONE, Result, Row, median, ms, percentile
from stage import Stage

from config.env import RUN_FILE, shell_file

SCREENS_TITLE = "a webhook's text on two of 20 agents' screens, from the POST to the later of the two pages"
START_TITLE = "from a fresh clone, and again, until GET /login answers 200"
CHROMIUMS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
PEOPLE = ("ben@demo.example", "bea@demo.example")
MOST_MS = 150
AGENTS = 20  # at work in the workspace: two who are watched, the others are sockets
FIRST_SECONDS, SECOND_SECONDS = 60, 5
READY_SECONDS = 240
# Between the POST and the pages; WHEN has the moments in between.
STEPS = ("kept", "received from", "announced", "shown")
WHEN = """
select m.body, extract(epoch from d.received_at), extract(epoch from received.started_at), extract(epoch from e.at)
from inbox_message m
join webhooks_delivery d on convert_from(d.body, 'UTF8') like '%%' || m.provider_id || '%%'
join job received on received.type = 'webhooks.receive_kapso_message'
    and (received.payload ->> 'delivery_id')::bigint = d.id
join live_event e on e.topic = 'conversation.' || m.conversation_id and e.type = 'message.created'
    and e.data like '%%' || m.provider_id || '%%'
where m.provider_id like %s
"""
# What belongs to a running copy or to the make around us, and must not reach another one
OURS = ("DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "DEMO", "PUBLIC_URL", "SECRET_KEY", "SUPABASE_URL", "ASGI_SERVER")
MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEFILES")


# --- Two browsers ---------------------------------------------------------------------------------------------


def screens(stage: Stage) -> Result:
    result = Result("screens", SCREENS_TITLE)
    chromium = next((path for path in CHROMIUMS if os.access(path, os.X_OK)), None)
    if chromium is None:
        result.skipped = f"there is no Chromium at {CHROMIUMS[0]}"
        return result
    for kind in ("daphne", "uvicorn"):
        _screens_of(stage, result, kind, chromium)
    return result


def _screens_of(stage: Stage, result: Result, kind: str, chromium: str) -> None:
    var_dir, port = stage.folder / "copy", free_port()
    environment = plain_environment() | {
        "PORT": str(port),
        "SIMULATOR_PORT": str(free_port()),
        "VAR_DIR": str(var_dir),
        "DEMO": "1",
        "ASGI_SERVER": kind,
        "SIMULATOR_CUSTOMERS": "0",
        "PYTHONPATH": str(ROOT),
    }
    copy = stage.start(f"copy-{kind}", [sys.executable, "-m", "config.run"], environment=environment, quiet=True)
    until_login(copy, port)
    spec = {
        "port": port,
        "path": "/webhooks/kapso/demo-kapso",
        "secret": "demo-kapso-secret",
        "example": json.loads((ROOT / "docs" / "examples" / "kapso-received-text.json").read_text()),
        "people": PEOPLE,
        "agents": AGENTS,
        "password": "demo-password",
        "messages": 8 if stage.quick else 50,
        "chromium": chromium,
    }
    heard = stage.ask(f"screens-{kind}", "screens_probe.py", spec, environment=plain_environment())
    database = shell_file(var_dir / RUN_FILE)["DATABASE_URL"]
    _tell_screens(result, kind, heard, _steps(database, heard["run"]))
    stage.stop(copy)


def _tell_screens(result: Result, kind: str, heard: dict[str, Any], steps: dict[int, list[float]]) -> None:
    shown = {number: at for number in range(len(heard["sent"])) if (at := _shown(heard, number))}
    if not shown:
        raise BenchError("no text reached both screens")
    began = {number: moments[0] for number, moments in enumerate(heard["sent"])}
    delays = [1000 * (at - began[number]) for number, at in shown.items()]
    acknowledged = [1000 * (answered - sent) for sent, answered in heard["sent"]]
    missing, figure = len(began) - len(shown), percentile(delays, 0.95)
    result.rows += [
        Row(f"p95 to both screens, {kind}", ms(figure), NONE, NONE, f"< {MOST_MS} ms", figure < MOST_MS),
        Row(f"p50 to both screens, {kind}", ms(median(delays))),
        Row(f"p95 until acknowledged, {kind}", ms(percentile(acknowledged, 0.95))),
        Row(f"texts missing on a screen, {kind}", str(missing), target="0", holds=not missing),
    ]
    whole = [[began[number], *steps[number], shown[number]] for number in shown if number in steps]
    if whole:
        parts = [
            f"{name} {1000 * median([moments[place + 1] - moments[place] for moments in whole]):.1f}"
            for place, name in enumerate(STEPS)
        ]
        result.notes.append(f"{kind}, medians in ms: {', '.join(parts)}")
    result.raw[kind] = {"delays_ms": delays, "acknowledged_ms": acknowledged, "steps": whole}


def _shown(heard: dict[str, Any], number: int) -> float | None:
    """When the later of the two pages had it, by our clock."""
    seen = [heard["seen"][person].get(str(number)) for person in PEOPLE]
    if None in seen:
        return None
    return max(at - heard["offsets"][person] for at, person in zip(seen, PEOPLE, strict=True)) / 1000


def _steps(database: str, run: str) -> dict[int, list[float]]:
    """By the number of the message, when the tables say that each step was made."""
    with psycopg.connect(database, autocommit=True) as connection:
        rows = connection.execute(WHEN, [f"wamid.{run}.bench-mark-%"]).fetchall()
    return {int(body.split("-")[2]): [float(moment) for moment in moments] for body, *moments in rows}


def until_login(copy: Process, port: int, seconds: float = READY_SECONDS) -> float:
    began = time.monotonic()
    while (status := status_of(port, "/login", seconds=5)) != 200:
        if copy.popen.poll() is not None:
            raise BenchError(f"{copy.name} ended with code {copy.popen.returncode}: {copy.last_words()}")
        if time.monotonic() - began > seconds:
            raise BenchError(f"/login answered {status or 'nothing'} after {seconds:.0f} s: {copy.last_words()}")
        time.sleep(0.05)
    return time.monotonic() - began


# --- Starting -------------------------------------------------------------------------------------------------


def start(stage: Stage) -> Result:
    """The clone is of what is committed. Package caches start empty, as on a fresh machine; --quick keeps them."""
    result = Result("start", START_TITLE)
    folder = stage.folder / "clone"
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name not in (*OURS, *MAKE)}
    environment |= {"PORT": str(port), "SIMULATOR_PORT": str(free_port()), "VAR_DIR": str(stage.folder / "clone-var")}
    if not stage.quick:
        caches = {"PIP_CACHE_DIR": "pip-cache", "UV_CACHE_DIR": "uv-cache"}
        environment |= {name: str(stage.folder / word) for name, word in caches.items()}
    began = time.monotonic()
    clone = stage.start("clone", ["git", "clone", "--quiet", ROOT, folder], environment=environment)
    clone.finish(60)
    stage.stop(clone)
    first, ended_first = _made_run(stage, "first start", folder, environment, port, began)
    second, ended_second = _made_run(stage, "second start", folder, environment, port, time.monotonic())
    result.rows = [
        _start_row("fresh clone to the sign-in page", first, FIRST_SECONDS),
        _start_row("second start to the sign-in page", second, SECOND_SECONDS),
        Row("until everything had ended, after Ctrl-C", f"{ended_first:.1f} s, {ended_second:.1f} s"),
    ]
    result.raw = {"first": first, "second": second, "ended": [ended_first, ended_second]}
    return result


def _made_run(
    stage: Stage, name: str, folder: Path, environment: dict[str, str], port: int, began: float
) -> tuple[float, float]:
    """Seconds until it answers, and from Ctrl-C until all of it is gone."""
    copy = stage.start(
        name.replace(" ", "-"),
        ["make", "run"],
        environment=environment,
        folder=folder,
        quiet=True,
        ending=signal.SIGINT,
    )
    until_login(copy, port)
    ready, asked = time.monotonic() - began, time.monotonic()
    copy.interrupt()
    copy.popen.wait(60)
    ended = time.monotonic() - asked
    if left := copy.left_behind():
        raise BenchError(f"{name} left processes behind: {', '.join(left)}")
    stage.stop(copy)
    return ready, ended


def _start_row(what: str, seconds: float, most: int) -> Row:
    return Row(what, f"{seconds:.1f} s", NONE, NONE, f"< {most} s", seconds < most)
