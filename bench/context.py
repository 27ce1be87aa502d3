"""Who calls, and all there is to know of them: answers a second by telephone number, next to FastAPI and asyncpg.

All servers read one database: 100,000 contacts, 200,000 conversations, a million messages. Both sides look the API key
up by its digest and answer with one statement; that they answer the same, to the last member, is seen before anything
is measured.
"""

import json
import urllib.request
from dataclasses import dataclass, field

from company import KEY, company
from processes import BenchError
from report import Result, Row, median, ms, rate
from stage import Server, Stage

TITLE = "context by telephone number at 10 connections, API key checked, one process"
CONNECTIONS = 10
TARGETS = {"daphne": 0.6, "uvicorn": 1.0}
P95_MS = 25.0
ROUNDS = 5
COMPARED = 200  # people, from all over


@dataclass
class Taken:
    """All rounds of one server."""

    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


class Contest:
    def __init__(self, stage: Stage, contacts: int) -> None:
        self.stage, self.contacts = stage, contacts
        self.requests = 500 if stage.quick else 6_000
        self.taken: dict[str, Taken] = {}
        self.round = 0

    @property
    def path(self) -> str:
        return f"/api/v1/workspaces/{self.stage.cast['workspace']}/contacts/context?phone=%2B"

    def answer(self, server: Server, number: int) -> object:
        url = f"http://127.0.0.1:{server.port}{self.path}1202{5_000_000 + number:07d}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def compare(self, yardstick: Server, server: Server) -> None:
        for number in range(0, self.contacts, self.contacts // COMPARED):
            if self.answer(yardstick, number) != self.answer(server, number):
                raise BenchError(f"The yardstick and {server.name} answer differently about person {number}.")

    def take(self, server: Server, requests: int = 0) -> float:
        self.round += 1
        spec = {
            "port": server.port,
            "path": self.path,
            "key": KEY,
            "contacts": self.contacts,
            "seed": self.round,
            "requests": requests or self.requests,
            "connections": CONNECTIONS,
        }
        before = server.process.cpu_seconds()
        answer = self.stage.ask("load", "load_context.py", spec)
        taken = self.taken.setdefault(server.name, Taken())
        for status, count in answer["refused"].items():
            taken.refused[status] = taken.refused.get(status, 0) + count
        achieved = float(answer["answered"] / answer["elapsed"])
        if not requests:
            taken.rates.append(achieved)
            taken.waits.append(answer["p95_ms"])
            taken.cores.append((server.process.cpu_seconds() - before) / answer["elapsed"])
            taken.generator.append(answer["generator_cores"])
        return achieved


def take(stage: Stage) -> Result:
    result = Result("context", TITLE)
    seeded = company(stage)
    yardstick = stage.yardstick(seeded.database)
    ours = [stage.product(kind, seeded.database) for kind in TARGETS]
    contest = Contest(stage, seeded.contacts)
    for server in ours:
        contest.compare(yardstick, server)
    for server in (yardstick, *ours):
        contest.take(server, requests=500)  # statements prepared, caches filled
    ratios = _rounds(contest, yardstick, ours, rounds=1 if stage.quick else ROUNDS)
    _report(result, contest, ratios)
    result.notes.append(seeded.note)
    for server in (yardstick, *ours):
        stage.stop(server.process)
    return result


def _rounds(contest: Contest, yardstick: Server, ours: list[Server], rounds: int) -> dict[str, list[float]]:
    """The yardstick before and after each of ours: what else the machine does meanwhile hits both."""
    ratios: dict[str, list[float]] = {server.name: [] for server in ours}
    before = contest.take(yardstick)
    for _ in range(rounds):
        for server in ours:
            achieved = contest.take(server)
            after = contest.take(yardstick)
            ratios[server.name].append(achieved / ((before + after) / 2))
            before = after
    return ratios


def _report(result: Result, contest: Contest, ratios: dict[str, list[float]]) -> None:
    yard = contest.taken["yardstick"]
    for name, target in TARGETS.items():
        ratio = median(ratios[name])
        figures = rate(median(contest.taken[name].rates)), rate(median(yard.rates))
        result.rows.append(
            Row(f"answers a second, {name}", *figures, f"{ratio:.2f}", f">= {target:.2f}", ratio >= target)
        )
    for name in TARGETS:
        waits, theirs = median(contest.taken[name].waits), median(yard.waits)
        row = Row(f"p95, {name}", ms(waits), ms(theirs), f"{waits / theirs:.2f}", f"< {P95_MS:.0f} ms", waits < P95_MS)
        result.rows.append(row)
    for name, taken in contest.taken.items():
        if taken.refused:
            result.rows.append(Row(f"refused by {name}", str(taken.refused), target="none", holds=False))
    cores = ", ".join(f"{name} {median(taken.cores):.2f}" for name, taken in contest.taken.items())
    generator = max(max(taken.generator) for taken in contest.taken.values())
    result.notes.append(f"cores used by the server: {cores}; by the load at most {generator:.2f}")
    result.raw = {
        "ratios": ratios,
        "servers": {
            name: {"rates": taken.rates, "p95_ms": taken.waits, "cores": taken.cores, "refused": taken.refused}
            for name, taken in contest.taken.items()
        },
    }
