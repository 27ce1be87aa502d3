"""Webhook deliveries acknowledged per second, and that each of them is kept exactly once."""

import re
import time
from dataclasses import dataclass, field
from typing import Any

import orjson
import psycopg
from processes import ROOT, BenchError, plain_environment
from report import Result, Row, median, ms, rate
from stage import Server, Stage

from config.run.embedded import POSTGRES_BIN

TITLE = "webhook deliveries acknowledged at 20 connections, one process"
CONNECTIONS = 20
REPEAT_EVERY = 50
TARGETS = {"daphne": 0.8, "uvicorn": 1.5}
EXAMPLE = orjson.loads((ROOT / "docs" / "examples" / "kapso-received-text.json").read_bytes())
LIMIT_SECONDS = 3.0
LIMIT_BATCH = 20

# One delivery and its job in one statement, as both servers do it; no HTTP, no signature.
SINGLE = """
with kept as (
    insert into webhooks_delivery
        (provider, channel_id, workspace_id, event_key, event, headers, body, received_at, state, outcome)
    values ('kapso', '{channel_id}'::uuid, '{workspace_id}'::uuid, {key}, 'whatsapp.message.received', '{{}}',
        '\\x{body}'::bytea, now(), 'kept', '{{}}')
    on conflict do nothing
    returning id, workspace_id
)
insert into job (key, type, lane, workspace_id, payload, max_attempts, outgoing, next_attempt)
select 'delivery:' || id, 'webhooks.unpack_delivery', '', workspace_id, jsonb_build_object('delivery_id', id), 8,
    false, now()
from kept
on conflict (key) do nothing
"""
BATCH = """
with kept as (
    insert into webhooks_delivery
        (provider, channel_id, workspace_id, event_key, event, headers, body, received_at, state, outcome)
    select 'kapso', %(channel_id)s::uuid, %(workspace_id)s::uuid, key, 'whatsapp.message.received', '{}', body, now(),
        'kept', '{}'
    from unnest(%(keys)s::text[], %(bodies)s::bytea[]) as given (key, body)
    on conflict do nothing
    returning id, workspace_id
)
insert into job (key, type, lane, workspace_id, payload, max_attempts, outgoing, next_attempt)
select 'delivery:' || id, 'webhooks.unpack_delivery', '', workspace_id, jsonb_build_object('delivery_id', id), 8,
    false, now()
from kept order by id
on conflict (key) do nothing
"""


@dataclass
class Taken:
    """All rounds of one server."""

    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    generator: list[float] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    refused: dict[str, int] = field(default_factory=dict)


class Contest:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.requests = 400 if stage.quick else 4_000
        self.taken: dict[str, Taken] = {}
        self.round = 0

    def take(self, server: Server, requests: int = 0) -> float:
        self.round += 1
        spec = {
            "port": server.port,
            "provider": "kapso",
            "path": f"/webhooks/kapso/{self.stage.cast['channel']}",
            "secret": self.stage.cast["secret"],
            "example": EXAMPLE,
            "prefix": f"round{self.round}",
            "requests": requests or self.requests,
            "connections": CONNECTIONS,
            "repeat_every": REPEAT_EVERY,
        }
        self.stage.checkpoint()
        before = server.process.cpu_seconds()
        answer = self.stage.ask("load", "load_deliveries.py", spec)
        taken = self.taken.setdefault(server.name, Taken())
        taken.acknowledged.update(answer["acknowledged"])
        for status, count in answer["refused"].items():
            taken.refused[status] = taken.refused.get(status, 0) + count
        achieved = len(answer["acknowledged"]) / answer["elapsed"]
        if not requests:
            taken.rates.append(achieved)
            taken.waits.append(answer["p95_ms"])
            taken.cores.append((server.process.cpu_seconds() - before) / answer["elapsed"])
            taken.generator.append(answer["generator_cores"])
        return float(achieved)


def take(stage: Stage) -> Result:
    result = Result("webhooks", TITLE)
    yardstick = stage.yardstick(stage.database("yardstick_webhooks"))
    ours = [stage.product(kind, stage.database(f"{kind}_webhooks")) for kind in TARGETS]
    servers = [yardstick, *ours]
    contest = Contest(stage)
    for server in servers:
        contest.take(server, requests=200)  # statements prepared, caches filled
    ratios = _rounds(contest, yardstick, ours, rounds=1 if stage.quick else 5)
    _report(result, contest, ratios)
    for server in servers:
        _check_kept(result, stage, server, contest.taken[server.name])
        stage.stop(server.process)
    _limits(result, stage)
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
    yard = median(contest.taken["yardstick"].rates)
    for name, target in TARGETS.items():
        ratio = median(ratios[name])
        row = Row(
            f"deliveries acknowledged, {name}",
            rate(median(contest.taken[name].rates)),
            rate(yard),
            f"{ratio:.2f}",
            f">= {target:.2f}",
            ratio >= target,
        )
        result.rows.append(row)
    for name in TARGETS:
        waits, yard_waits = median(contest.taken[name].waits), median(contest.taken["yardstick"].waits)
        row = Row(f"p95 until acknowledged, {name}", ms(waits), ms(yard_waits), f"{waits / yard_waits:.2f}")
        result.rows.append(row)
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


def _check_kept(result: Result, stage: Stage, server: Server, taken: Taken) -> None:
    with stage.connect(server.database) as connection:
        rows = connection.execute(
            "select d.event_key, count(*), count(j.id) from webhooks_delivery d "
            "left join job j on (j.payload ->> 'delivery_id')::bigint = d.id where d.event_key like 'round%' group by 1"
        ).fetchall()
    kept = {key for key, deliveries, jobs in rows if (deliveries, jobs) == (1, 1)}
    wrong = len(taken.acknowledged - kept) + len(rows) - len(kept)
    refused = sum(taken.refused.values())
    said = f"{len(taken.acknowledged):,}, {wrong:,} wrong" if wrong else f"all of {len(taken.acknowledged):,}"
    holds = None if server.name == "yardstick" else not wrong and not refused
    row = Row(f"acknowledged and kept once with its job, {server.name}", said, target="all", holds=holds)
    result.rows.append(row)
    if refused:
        result.notes.append(f"{server.name} refused {refused}: {taken.refused}")


# --- The limit: the same statement without a server around it ------------------------------------------------


def _limits(result: Result, stage: Stage) -> None:
    seconds = 1.0 if stage.quick else LIMIT_SECONDS
    database = stage.database("limit_webhooks")
    single = _pgbench(stage, database, seconds)
    batched = _psycopg(stage, database, seconds)
    result.rows.append(Row(f"limit: pgbench, {CONNECTIONS} connections, a row a statement", rate(single)))
    result.rows.append(Row(f"limit: psycopg, 1 connection, {LIMIT_BATCH} rows a statement", rate(batched)))
    result.raw["limits"] = {"pgbench_single": single, "psycopg_batched": batched}


def _pgbench(stage: Stage, database: str, seconds: float) -> float:
    script = stage.folder / "single.sql"
    key = "'limit-' || :client_id::text || '-' || :i::text"
    statement = SINGLE.format(**stage.cast, key=key, body=orjson.dumps(EXAMPLE).hex())
    script.write_text(f"\\set i :i + 1\n{' '.join(statement.split())};\n")
    words = ["-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(int(seconds)), "-D", "i=0"]
    where = ["-h", str(stage.postgres.sockets), "-U", "postgres", database]
    stage.checkpoint()
    process = stage.start(
        "pgbench", [POSTGRES_BIN / "pgbench", *words, "-f", script, *where], environment=plain_environment()
    )
    said, _ = process.popen.communicate(timeout=seconds + 30)
    found = re.search(r"tps = ([\d.]+)", said.decode())
    if found is None:
        raise BenchError(f"pgbench gave no figure: {process.last_words()}")
    stage.stop(process)
    return float(found[1])


def _psycopg(stage: Stage, database: str, seconds: float) -> float:
    body = orjson.dumps(EXAMPLE)
    fixed: dict[str, Any] = {"channel_id": stage.cast["channel_id"], "workspace_id": stage.cast["workspace_id"]}
    stage.checkpoint()
    with psycopg.connect(stage.postgres.url_for(database), autocommit=True, prepare_threshold=0) as connection:
        number, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            keys = [f"batch-{number + place}" for place in range(LIMIT_BATCH)]
            connection.execute(BATCH, fixed | {"keys": keys, "bodies": [body] * LIMIT_BATCH})
            number += LIMIT_BATCH
        return number / (time.perf_counter() - began)
