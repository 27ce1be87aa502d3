"""Web chat: from a visitor's hand to the agent's screen and back, with many visitors connected."""

import json
import time

from report import Result, Row, ms, percentile
from stage import Stage

TITLE = "messages between visitors and agents, from before the request to the other side's socket; one web process"
SERVERS = ("daphne", "uvicorn")
VISITORS, RATE, SECONDS, MOST_MS = 500, 50.0, 30.0, 150.0


def take(stage: Stage) -> Result:
    result = Result("chat", TITLE)
    for kind in SERVERS:
        _round(result, stage, kind)
    return result


def _round(result: Result, stage: Stage, kind: str) -> None:
    visitors, seconds = (50, 5.0) if stage.quick else (VISITORS, SECONDS)
    rate = 10.0 if stage.quick else RATE
    database = stage.database(f"chat_{kind}")
    environment = stage.product_environment(database, port=1)
    seeded = stage.ask("chat-seed", "chat_seed.py", {"visitors": visitors}, seconds=300, environment=environment)
    stage.checkpoint()
    server = stage.product(kind, database)
    load = stage.python("chat", "load_chat.py")
    spec = {"port": server.port, "agent": stage.token(), "rate": rate, "seconds": seconds, **seeded}
    load.tell(json.dumps(spec))
    load.hear()
    used, began = server.process.cpu_seconds(), time.monotonic()
    said = json.loads(load.hear())
    used, took = server.process.cpu_seconds() - used, time.monotonic() - began
    stage.stop(load)
    stage.stop(server.process)
    for way, words in (("in", "visitor to agent"), ("out", "agent to visitor")):
        delays = said["delays"][way]
        p95 = percentile(delays, 0.95) if delays else float("inf")
        result.rows.append(
            Row(
                f"{words}, {visitors} connected, {rate:.0f} a second, p95, {kind}",
                ms(p95),
                target=f"<= {MOST_MS:.0f} ms",
                holds=p95 <= MOST_MS,
            )
        )
    kept = _kept(stage, database)
    wrong = said["lost"] + said["doubled"] + sum(said["errors"].values()) + abs(kept - said["sent"])
    result.rows.append(Row(f"lost, doubled, out of order or refused, {kind}", str(wrong), target="0", holds=wrong == 0))
    result.notes.append(
        f"{kind}: {used / said['sent'] * 1000:.1f} ms of a processor a message, "
        f"{used / took:.2f} cores in all; the load needed {said['generator_cores']:.2f}; "
        f"answered in {ms(percentile(said['answers'], 0.95))} (p95)"
    )
    result.raw[kind] = {name: said[name] for name in ("sent", "lost", "doubled", "errors", "generator_cores")}
    result.raw[kind] |= {"kept": kept, "cores": used / took, "seconds": took}


def _kept(stage: Stage, database: str) -> int:
    """Messages that somebody has written, however they got there."""
    with stage.connect(database) as connection:
        row = connection.execute("select count(*) from inbox_message where client_id is not null").fetchone()
    assert row is not None
    return int(row[0])
