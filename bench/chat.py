"""Web chat: from a visitor's hand to the agent's screen and back, with many visitors connected; the same under load;
and how soon a page's visitor can press the launcher."""

import json
import os
import time
from dataclasses import dataclass
from typing import Any

from copies import CHROMIUMS
from processes import plain_environment
from report import Result, Row, ms, percentile
from stage import Server, Stage

TITLE = "messages between visitors and agents, from before the request to the other side's socket"
SERVERS = ("daphne", "uvicorn")
VISITORS, MOST_MS = 500, 150.0
LAUNCHER_MS = 200.0


@dataclass(frozen=True)
class Pace:
    rate: float  # messages a second, both ways together
    seconds: float


TALK, CROWD = Pace(5.0, 30.0), Pace(50.0, 30.0)
SHORT_TALK, SHORT_CROWD = Pace(5.0, 4.0), Pace(10.0, 5.0)


def take(stage: Stage) -> Result:
    result = Result("chat", TITLE)
    _ = stage.static
    talk, crowd = (SHORT_TALK, SHORT_CROWD) if stage.quick else (TALK, CROWD)
    for kind in SERVERS:
        _rounds(result, stage, kind, 1, (talk, crowd))
        _rounds(result, stage, kind, 2, (crowd,))
    return result


def _rounds(result: Result, stage: Stage, kind: str, processes: int, paces: tuple[Pace, ...]) -> None:
    visitors = 50 if stage.quick else VISITORS
    database = stage.database(f"chat_{kind}_{processes}")
    environment = stage.product_environment(database, port=1)
    seeded = stage.ask("chat-seed", "chat_seed.py", {"visitors": visitors}, seconds=300, environment=environment)
    server = stage.product(kind, database, processes=processes)
    name = kind if processes == 1 else f"{kind}, {processes} processes"
    sent = 0
    for pace in paces:
        stage.checkpoint()
        said = _say(stage, server, seeded, pace)
        sent += said["sent"]
        said["kept"] = _kept(stage, database) - (sent - said["sent"])
        _tell(result, said, f"{visitors} connected, {pace.rate:.0f} a second", name, pace)
    if processes == 1:
        _launcher(result, stage, server, kind)
    stage.end(server)


def _say(stage: Stage, server: Server, seeded: dict[str, Any], pace: Pace) -> dict[str, Any]:
    load = stage.python("chat", "load_chat.py")
    spec = {"port": server.port, "agent": stage.token(), "rate": pace.rate, "seconds": pace.seconds, **seeded}
    load.tell(json.dumps(spec))
    load.hear()
    used, began = server.cpu_seconds(), time.monotonic()
    said: dict[str, Any] = json.loads(load.hear())
    said["used"], said["took"] = server.cpu_seconds() - used, time.monotonic() - began
    stage.stop(load)
    return said


def _tell(result: Result, said: dict[str, Any], what: str, name: str, pace: Pace) -> None:
    for way, words in (("in", "visitor to agent"), ("out", "agent to visitor"), ("both", "there and back")):
        p95 = percentile(said[way], 0.95) if said[way] else float("inf")
        row = f"{words}, {what}, p95, {name}"
        result.rows.append(Row(row, ms(p95), target=f"<= {MOST_MS:.0f} ms", holds=p95 <= MOST_MS))
    wrong = said["lost"] + said["doubled"] + sum(said["errors"].values()) + abs(said["kept"] - said["sent"])
    lost = f"lost, doubled, out of order or refused, {what}, {name}"
    result.rows.append(Row(lost, f"{wrong} of {said['sent']:,}", target="0", holds=wrong == 0))
    result.notes.append(
        f"{what}, {name}: {said['used'] / said['sent'] * 1000:.1f} ms of a processor a message, "
        f"{said['used'] / said['took']:.2f} cores in all; the load needed {said['generator_cores']:.2f}; "
        f"answered in {ms(percentile(said['answers'], 0.95))} (p95)"
    )
    result.raw[f"{what}, {name}"] = said


def _kept(stage: Stage, database: str) -> int:
    """Messages that somebody has written, however they got there."""
    with stage.connect(database) as connection:
        row = connection.execute("select count(*) from inbox_message where client_id is not null").fetchone()
    assert row is not None
    return int(row[0])


def _launcher(result: Result, stage: Stage, server: Server, kind: str) -> None:
    chromium = next((path for path in CHROMIUMS if os.access(path, os.X_OK)), None)
    if chromium is None:
        return
    spec = {"port": server.port, "channel": "bench-widget", "chromium": chromium, "times": 5 if stage.quick else 40}
    heard = stage.ask("widget", "widget_probe.py", spec, environment=plain_environment())
    for name, words in (("cold", "first visit"), ("warm", "another page")):
        p95 = percentile(heard[name], 0.95)
        result.rows.append(
            Row(
                f"from the script's arrival until the launcher can be pressed, {words}, p95, {kind}",
                ms(p95),
                target=f"<= {LAUNCHER_MS:.0f} ms",
                holds=p95 <= LAUNCHER_MS,
            )
        )
    result.raw[f"launcher, {kind}"] = heard
