"""The children's board: from a score's push to every open page, fifty a second; and a rank among very many entries."""

import json
import os
import sys
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import board_drawn
from board_drawn import Change
from copies import CHROMIUMS
from processes import BenchError, Process, plain_environment
from report import Result, Row, median, ms, percentile
from stage import Server, Stage

TITLE = "a score posted until it is shown, {rate} a second, some sent twice, some corrected; web process and worker"
CODE, TOPIC = "BENCH1", "leaderboard.BENCH1"
RATE = 50
TOP = 50
SERVERS = ("daphne", "uvicorn")
RANK_MS = 5.0
WARM_SECONDS = 120.0
WORKER = ["-m", "celery", "--quiet", "-A", "config", "worker", "--pool=threads", "-c", "8", "-l", "WARNING"]
LEAN = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
_EVENTS = """
select e.seq, b.submission_id, (e.data::jsonb ->> 'revision')::int, (e.data::jsonb ->> 'score')::float
from live_event e join proctoring_leaderboardentry b on b.id = (e.data::jsonb ->> 'id')::uuid
where e.topic = %s and e.seq > %s order by e.seq
"""
_ENTRIES = """
select submission_id, nickname, score::float, rank() over (order by score desc)
from proctoring_leaderboardentry where submission_id like %s order by score desc, submitted_at, id
"""


@dataclass
class Round:
    """What all pages heard, against what was posted."""

    pages: int
    delays: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)  # drawn by the page in Chromium
    busy: float = 0.0  # milliseconds of that page's own thread
    wrong: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    frames: int = 0
    cores: dict[str, float] = field(default_factory=dict)


def take(stage: Stage) -> Result:
    result = Result("board", TITLE.format(rate=RATE))
    _ = stage.static
    pages = {20: 300, 100: 1_000} if stage.quick else {100: 300, 1_000: 1_000}
    for kind in SERVERS:
        server = stage.product(kind, stage.database(f"board_{kind}"))
        worker = _worker(stage, server)
        _warm(stage, server)
        for number, (count, most) in enumerate(pages.items()):
            seconds = 5 if stage.quick else (20, 60)[number]
            _tell(result, kind, _round(stage, server, worker, pages=count, seconds=seconds, seed=number + 1), most)
        stage.stop(worker)
        stage.stop(server.process)
    _ranks(result, stage)
    return result


def _worker(stage: Stage, server: Server) -> Process:
    environment = stage.product_environment(server.database, port=server.port)
    return stage.start(f"worker-{server.name}", [sys.executable, *WORKER, *LEAN], environment=environment, quiet=True)


def _warm(stage: Stage, server: Server) -> None:
    """Some scores that do not count: the worker has to be there, with all that it loads on first use."""
    pusher = stage.python("pusher", "load_scores.py")
    pusher.tell(json.dumps({"port": server.port, "rate": 20, "pushes": 20, "seed": 0}))
    players = json.loads(pusher.hear())["players"]
    pusher.tell("go")
    pusher.hear()
    stage.stop(pusher)
    deadline = time.monotonic() + WARM_SECONDS
    with stage.connect(server.database) as connection:
        while len(connection.execute(_ENTRIES, ["0-%"]).fetchall()) < players:
            if time.monotonic() > deadline:
                raise BenchError("the worker set no scores")
            time.sleep(0.1)


def _round(stage: Stage, server: Server, worker: Process, *, pages: int, seconds: int, seed: int) -> Round:
    heard, file = Round(pages), stage.folder / "arrived"
    crowd, pusher = stage.python("pages", "load_sockets.py"), stage.python("pusher", "load_scores.py")
    watcher = _watcher(stage, server)
    try:
        pusher.tell(json.dumps({"port": server.port, "rate": RATE, "pushes": RATE * seconds, "seed": seed}))
        planned = json.loads(pusher.hear())
        crowd.tell(json.dumps(_crowd_spec(server, pages, planned["events"], seconds + 20, file)))
        crowd.hear()
        cpu, began = {one.name: one.cpu_seconds() for one in (server.process, worker)}, time.monotonic()
        pusher.tell("go")
        pushed, said = json.loads(pusher.hear()), json.loads(crowd.hear())
        spent = time.monotonic() - began
        heard.cores = {one.name: (one.cpu_seconds() - cpu[one.name]) / spent for one in (server.process, worker)}
        heard.cores["pages"] = said["generator_cores"]
        heard.answers, heard.frames = pushed["answers"], said["frames"]
        saw = _seen(watcher)
        entries, events = _stored(stage, server.database, seed, min(said["heads"]))
    finally:
        for process in (crowd, pusher, watcher):
            if process is not None:
                stage.stop(process)
    _compare_frames(heard, file, said, events, pushed["set_out"])
    _compare_entries(heard, entries, pushed["wanted"])
    if saw is not None:
        _compare_page(heard, saw, _standing(stage, server.database), seed, events, pushed["set_out"])
    file.unlink(missing_ok=True)
    return heard


def _crowd_spec(server: Server, pages: int, events: int, seconds: float, file: Path) -> dict[str, Any]:
    return {
        "port": server.port,
        "protocols": ["live.v1"],
        "sockets": pages,
        "topic": TOPIC,
        "gather": True,
        "busy": 0,
        "stop": 0,
        "messages": events,
        "seconds": seconds,
        "file": str(file),
    }


def _watcher(stage: Stage, server: Server) -> Process | None:
    chromium = next((path for path in CHROMIUMS if os.access(path, os.X_OK)), None)
    if chromium is None:
        return None
    watcher = stage.python("watcher", "board_probe.py", environment=plain_environment())
    watcher.tell(json.dumps({"port": server.port, "code": CODE, "top": TOP, "chromium": chromium}))
    watcher.hear()
    return watcher


def _seen(watcher: Process | None) -> dict[str, Any] | None:
    if watcher is None:
        return None
    watcher.tell("what")
    saw: dict[str, Any] = json.loads(watcher.hear())
    return saw


def _stored(stage: Stage, database: str, seed: int, head: int) -> tuple[list[tuple[Any, ...]], dict[int, Change]]:
    with stage.connect(database) as connection:
        entries = connection.execute(_ENTRIES, [f"{seed}-%"]).fetchall()
        events = {int(seq): Change(*said) for seq, *said in connection.execute(_EVENTS, [TOPIC, head]).fetchall()}
    return entries, events


def _standing(stage: Stage, database: str) -> list[tuple[Any, ...]]:
    with stage.connect(database) as connection:
        return connection.execute(_ENTRIES, ["%"]).fetchall()


def _compare_frames(
    heard: Round, file: Path, said: dict[str, Any], events: dict[int, Change], set_out: dict[str, list[float]]
) -> None:
    """Every page must have had every number once, in order; each number is one push that was made."""
    arrived = array("q")
    arrived.frombytes(file.read_bytes())
    by_page: dict[int, list[int]] = defaultdict(list)
    for position in range(0, len(arrived), 3):
        page, seq, moment = arrived[position : position + 3]
        by_page[page].append(seq)
        if seq in events and events[seq].told in set_out:
            heard.delays.append((moment - set_out[events[seq].told][0]) / 1e6)
    wanted = sorted(events)
    for page in range(heard.pages):
        if by_page[page] != wanted:
            heard.wrong.append(f"page {page} had {len(by_page[page])} of {len(wanted)} events")
    if sorted(event.told for event in events.values()) != sorted(set_out):
        heard.wrong.append(f"{len(set_out)} pushes became {len(events)} events")
    heard.wrong += [f"a page was closed: {word}" for word in said["closed"]]


def _compare_entries(heard: Round, entries: list[tuple[Any, ...]], wanted: dict[str, int]) -> None:
    stored = {submission: score for submission, _, score, _ in entries}
    if len(stored) != len(entries) or stored != wanted:
        heard.wrong.append(f"{len(entries)} entries of {len(wanted)} players, or with other scores")


def _compare_page(
    heard: Round,
    saw: dict[str, Any],
    standing: list[tuple[Any, ...]],
    seed: int,
    events: dict[int, Change],
    set_out: dict[str, list[float]],
) -> None:
    """The page that watched and the one that came at the end must show what the database says; and the first of them,
    once, all that was pushed."""
    rows = [[str(rank), nickname, f"{score:,.0f}"] for _, nickname, score, rank in standing[:TOP]]
    heard.wrong += [f"the {which} page is out of order" for which in ("early", "late") if saw[which] != rows]
    changes = [events[seq] for seq in sorted(events)]
    before = [score for submission, _, score, _ in standing if not submission.startswith(f"{seed}-")]
    heard.shown, missed = board_drawn.delays(changes, before=before, top=TOP, seen=saw["seen"], set_out=set_out)
    heard.wrong += [f"{len(missed)} pushes were never drawn"] if missed else []
    heard.busy = saw["busy_ms"]


def _tell(result: Result, kind: str, heard: Round, most: float) -> None:
    if not heard.delays:
        raise BenchError(f"no score reached any page: {heard.answers}")
    figure, name = percentile(heard.delays, 0.95), f"{heard.pages:,} pages, {kind}"
    asked = f"< {most:,.0f} ms"
    result.rows += [
        Row(f"posted until its frame is there, {name}, p95", ms(figure), target=asked, holds=figure < most),
        Row(
            f"none lost, doubled or out of place, {name}",
            heard.wrong[0] if heard.wrong else "all right",
            target="all right",
            holds=not heard.wrong and set(heard.answers) == {"200"},
        ),
    ]
    if heard.shown:
        drawn = percentile(heard.shown, 0.95)
        result.rows.append(
            Row(f"drawn by a browser among them, {name}, p95", ms(drawn), target=asked, holds=drawn < most)
        )
    cores = ", ".join(f"{who.partition('-')[0]} {share:.2f}" for who, share in heard.cores.items())
    frames, events = heard.frames / heard.pages, len(heard.delays) / heard.pages
    result.notes.append(
        f"{name}: p50 {ms(median(heard.delays))}, p99 {ms(percentile(heard.delays, 0.99))}; {frames:,.0f} frames "
        f"a page for {events:,.0f} events; drawn: {_drawn(heard)}; cores: {cores}"
    )
    result.raw[name] = {
        **{f"p{share * 100:g}_ms": percentile(heard.delays, share) for share in (0.5, 0.95, 0.99, 1.0)},
        "shown_ms": heard.shown,
        "answers": heard.answers,
        "wrong": heard.wrong,
        "cores": heard.cores,
    }


def _drawn(heard: Round) -> str:
    if not heard.shown:
        return "nobody looked"
    p50, p99 = median(heard.shown), percentile(heard.shown, 0.99)
    thread = heard.busy / (len(heard.delays) / heard.pages)
    return f"{len(heard.shown):,} changes, p50 {ms(p50)}, p99 {ms(p99)}, {thread:.1f} ms of the page's thread each"


def _ranks(result: Result, stage: Stage) -> None:
    database, entries = stage.database("board_ranks"), 5_000 if stage.quick else 100_000
    environment = stage.product_environment(database, port=1)
    asked = {"entries": entries, "asked": 500}
    said = stage.ask("ranks", "product_ranks.py", asked, seconds=300, environment=environment)
    figure = percentile(said["rank_ms"], 0.95)
    result.rows += [
        Row(f"a rank among {entries:,}, p95", ms(figure), target=f"< {RANK_MS:.0f} ms", holds=figure < RANK_MS),
        Row("ranks that counting finds otherwise", str(said["wrong"]), target="0", holds=not said["wrong"]),
        Row("one's place with neighbours, by nickname, p95", ms(percentile(said["place_ms"], 0.95))),
    ]
    result.raw["ranks"] = said
