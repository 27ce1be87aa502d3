"""One message to a thousand sockets: how long from the publisher's hand to every client, and is anything lost."""

import json
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import BenchError, Process, plain_environment
from report import NONE, Result, Row, median, ms, percentile
from stage import Server, Stage

TITLE = "one message to 1,000 sockets, 20 a second, one process; from before the transaction to the client"
RATE = 20
WARM = 5  # messages at the start that do not count
TARGETS = {"uvicorn": 0.8, "daphne": 1.6}  # of the yardstick's p95
MOST_MS = {"daphne": 80.0}
STOP = 5  # readers that stop reading
UNCHANGED = 1.25
MEMORY_MIB = 32  # by which five readers that stopped may make a server grow
MIB = 2**20


@dataclass
class Heard:
    """One round: what all clients noted, against what was published."""

    delays: list[float] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0
    disordered: int = 0
    closed: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    cores: float = 0.0
    generator: float = 0.0
    grown: float = 0.0  # MiB of the server
    memory: list[float] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return self.lost + self.doubled + self.disordered + len(self.closed)

    def p(self, share: float) -> float:
        if not self.delays:
            raise BenchError("no message reached any client")
        return percentile(self.delays, share)


class Hall:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sockets = 100 if stage.quick else 1_000
        self.topic = f"inbox.{stage.cast['workspace']}"

    def take(self, server: Server, seconds: float, *, stop: int | None = None) -> Heard:
        """`stop` is how many of the busy sockets stop reading; None leaves the busy topic out altogether."""
        messages = WARM + int(seconds * RATE)
        file = self.stage.folder / "arrived"
        spec = {
            "port": server.port,
            "protocols": ["live.v1", f"bearer.{self.stage.token()}"],
            "sockets": self.sockets,
            "topic": self.topic,
            "heavy": "" if stop is None else self._busy_topic(),
            "busy": 0 if stop is None else STOP,
            "stop": stop or 0,
            "messages": messages,
            "rate": RATE,
            "seconds": messages / RATE + 10,
            "file": str(file),
        }
        heard = Heard()
        crowd = self.stage.python("sockets", "load_sockets.py")
        publisher = self._publisher(server)
        try:
            crowd.tell(json.dumps(spec))
            publisher.tell(json.dumps(spec))
            crowd.hear()
            publisher.hear()
            self._listen(server, crowd, publisher, spec, heard)
        finally:
            self.stage.stop(publisher)
            self.stage.stop(crowd)
        file.unlink(missing_ok=True)
        return heard

    def _busy_topic(self) -> str:
        return f"user.{self.stage.cast['user_id']}"

    def _publisher(self, server: Server) -> Process:
        if server.name == "yardstick":
            environment = plain_environment() | {
                "DATABASE_URL": self.stage.postgres.url_for(server.database),
                "REDIS_URL": self.stage.valkey.url,
            }
            return self.stage.python("publisher", "yardstick_publisher.py", environment=environment)
        environment = self.stage.product_environment(server.database, port=server.port)
        return self.stage.python("publisher", "product_publisher.py", environment=environment)

    def _listen(self, server: Server, crowd: Process, publisher: Process, spec: dict[str, Any], heard: Heard) -> None:
        cpu, began = server.process.cpu_seconds(), time.monotonic()
        publisher.tell("go")
        until = began + spec["messages"] / RATE
        while time.monotonic() < until:
            heard.memory.append(server.process.memory() / MIB)
            time.sleep(0.1)
        moments = json.loads(publisher.hear())["moments"]
        said = json.loads(crowd.hear())
        heard.memory.append(server.process.memory() / MIB)
        heard.cores = (server.process.cpu_seconds() - cpu) / (time.monotonic() - began)
        heard.grown = max(heard.memory) - heard.memory[0]
        heard.generator = said["generator_cores"]
        heard.closed, heard.stopped = said["closed"], said["stopped"]
        _compare(heard, Path(spec["file"]), said["heads"], moments, range(spec["stop"], spec["sockets"]))


def _compare(heard: Heard, file: Path, heads: list[int], moments: list[int], places: range) -> None:
    """Every client that read must have had every number once, in order. The first number is the one after its head."""
    arrived = array("q")
    arrived.frombytes(file.read_bytes())
    by_place: dict[int, list[int]] = defaultdict(list)
    for position in range(0, len(arrived), 3):
        place, seq, moment = arrived[position : position + 3]
        by_place[place].append(seq)
        number = seq - heads[place] - 1
        if place in places and WARM <= number < len(moments):
            heard.delays.append((moment - moments[number]) / 1e6)
    for place in places:
        numbers, wanted = by_place[place], range(heads[place] + 1, heads[place] + 1 + len(moments))
        heard.lost += len(set(wanted) - set(numbers))
        heard.doubled += len(numbers) - len(set(numbers))
        heard.disordered += numbers != sorted(numbers)


def take(stage: Stage) -> Result:
    result = Result("live", TITLE)
    hall = Hall(stage)
    yardstick = stage.yardstick(stage.database("yardstick_live"))
    ours = {kind: stage.product(kind, stage.database(f"{kind}_live")) for kind in TARGETS}
    _steady(result, hall, yardstick, ours, seconds=2 if stage.quick else 10)
    _slow_readers(result, hall, ours, seconds=4 if stage.quick else 5)
    for server in (yardstick, *ours.values()):
        stage.stop(server.process)
    return result


def _steady(result: Result, hall: Hall, yardstick: Server, ours: dict[str, Server], seconds: float) -> None:
    """The yardstick before and after each of ours, half as long."""
    yard = [hall.take(yardstick, seconds / 2)]
    heard: dict[str, Heard] = {}
    for name, server in ours.items():
        heard[name] = hall.take(server, seconds)
        yard.append(hall.take(yardstick, seconds / 2))
        base = (yard[-2].p(0.95) + yard[-1].p(0.95)) / 2
        figure, most = heard[name].p(0.95), MOST_MS.get(name)
        ratio = figure / base
        wanted = f"<= {TARGETS[name]:.1f}" + (f", {most:.0f} ms" if most else "")
        holds = ratio <= TARGETS[name] and (most is None or figure <= most)
        result.rows.append(Row(f"p95 to the client, {name}", ms(figure), ms(base), f"{ratio:.2f}", wanted, holds))
    middle = median([each.p(0.5) for each in yard])
    for name, each in heard.items():
        result.rows.append(Row(f"p50, {name}", ms(each.p(0.5)), ms(middle), f"{each.p(0.5) / middle:.2f}"))
    for name, each in heard.items():
        result.rows.append(_nothing_lost(f"every number once and in order, {name}", each))
    wrong = sum(each.wrong for each in yard)
    result.rows.append(Row("every number once and in order, yardstick", f"{wrong} wrong" if wrong else "all"))
    cores = ", ".join(f"{name} {each.cores:.2f}" for name, each in {"yardstick": yard[0], **heard}.items())
    generator = max(each.generator for each in (*yard, *heard.values()))
    result.notes.append(f"cores used by the server: {cores}; by the readers at most {generator:.2f}")
    result.raw["steady"] = {name: _facts(each) for name, each in heard.items()}
    result.raw["yardstick"] = [_facts(each) for each in yard]


def _slow_readers(result: Result, hall: Hall, ours: dict[str, Server], seconds: float) -> None:
    """Five sockets follow a second, busy topic (60 kB, 20 a second). First they read it, then they do not."""
    for name, server in ours.items():
        reading = hall.take(server, seconds, stop=0)
        stopped = hall.take(server, seconds, stop=STOP)
        figure, before = stopped.p(0.95), reading.p(0.95)
        held = figure <= before * UNCHANGED
        result.rows.append(
            Row(
                f"p95 of the rest, {STOP} stop reading, {name}",
                ms(figure),
                NONE,
                f"{figure / before:.2f}",
                f"<= {UNCHANGED} of {ms(before)}",
                held,
            )
        )
        result.rows.append(_nothing_lost(f"the rest has every number, {name}", stopped))
        result.rows.append(
            Row(
                f"memory grew, {name}",
                f"{stopped.grown:.0f} MiB",
                target=f"<= {MEMORY_MIB} MiB",
                holds=stopped.grown <= MEMORY_MIB,
            )
        )
        closed = [word for word in stopped.stopped if word != "open"]
        result.rows.append(
            Row(
                f"readers that stopped, closed, {name}",
                f"{len(closed)} of {STOP}",
                target=f"{STOP}",
                holds=len(closed) == STOP,
            )
        )
        result.notes.append(f"{name} closed them with: {', '.join(sorted(set(stopped.stopped)))}")
        result.raw[f"slow_readers_{name}"] = {"reading": _facts(reading), "stopped": _facts(stopped)}


def _nothing_lost(what: str, heard: Heard) -> Row:
    said = (
        "all"
        if not heard.wrong
        else (f"{heard.lost} lost, {heard.doubled} doubled, {heard.disordered} disordered, {len(heard.closed)} closed")
    )
    return Row(what, said, target="all", holds=not heard.wrong)


def _facts(heard: Heard) -> dict[str, Any]:
    return {
        "frames": len(heard.delays),
        **{f"p{share * 100:g}_ms": heard.p(share) for share in (0.5, 0.9, 0.95, 0.99, 1.0)},
        "lost": heard.lost,
        "doubled": heard.doubled,
        "disordered": heard.disordered,
        "closed": heard.closed,
        "stopped": heard.stopped,
        "cores": heard.cores,
        "generator_cores": heard.generator,
        "grown_mib": heard.grown,
        "memory_mib": heard.memory,
    }
