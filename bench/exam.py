"""Live exams: how long a beat takes to be kept and answered, and what a restart in the middle of it does to anybody."""

import json
import time
from dataclasses import dataclass
from typing import Any

from processes import BenchError, Process
from report import Result, Row, ms, percentile, rate
from stage import Server, Stage

TITLE = "students' beats, kept before they are answered; one web process, Postgres beside it"
PERIOD = 10.0  # seconds between a student's beats
SERVERS = ("daphne", "uvicorn")
HTTP_MS = {"uvicorn": 20.0, "daphne": 40.0}
FEW_MS, MANY_MS, BACK_SECONDS = 20.0, 50.0, 30.0
GRACE = 900  # seconds that the seeded sessions count as seen: until their students have arrived and beat

_FLAGGED = """
    select count(*) filter (where p.lost_at is not null) + (select count(*) from proctoring_violation)
        + (select count(*) from proctoring_sessiongap where cause = 'connection')
        + count(*) filter (where s.status <> 'active')
    from proctoring_examsession s join proctoring_sessionpulse p on p.session_id = s.id
"""


@dataclass(frozen=True)
class Sizes:
    few: int
    many: int
    http: int
    seconds: float


def take(stage: Stage) -> Result:
    result = Result("exam", TITLE)
    sizes = Sizes(20, 100, 200, 12.0) if stage.quick else Sizes(100, 5_000, 10_000, 30.0)
    for kind in SERVERS:
        _few(result, stage, kind, sizes)
        _http(result, stage, kind, sizes)
        _many(result, stage, kind, sizes)
    return result


def _few(result: Result, stage: Stage, kind: str, sizes: Sizes) -> None:
    server, students = _hall(stage, kind, "few", sizes.few)
    said = _beat(stage, server, students, road="http", seconds=sizes.seconds, connections=20)
    _row(result, f"{sizes.few} students, HTTP, {kind}", said, FEW_MS)
    stage.stop(server.process)


def _http(result: Result, stage: Stage, kind: str, sizes: Sizes) -> None:
    """The first beats by themselves: after a restart in the middle of an exam the server has seen none of the tokens,
    and every first beat is news to the tutors."""
    server, students = _hall(stage, kind, "http", sizes.http)
    crowd, _ = _crowd(stage, server, students, road="http", rounds=[PERIOD, sizes.seconds], connections=100)
    what = f"{sizes.http / PERIOD:,.0f} beats a second, HTTP, {kind}"
    _row(result, f"{what}, every student's first", _round(crowd, server, what, PERIOD))
    _row(result, what, _round(crowd, server, what, sizes.seconds), HTTP_MS[kind])
    stage.stop(crowd)
    stage.stop(server.process)


def _many(result: Result, stage: Stage, kind: str, sizes: Sizes) -> None:
    """Sockets; once they have beaten for a while the server is stopped and started again."""
    server, students = _hall(stage, kind, "sockets", sizes.many)
    what, rounds = f"{sizes.many:,} students, sockets, {kind}", [sizes.seconds, sizes.seconds + BACK_SECONDS]
    cpu = server.process.cpu_seconds()
    crowd, arrived = _crowd(stage, server, students, road="socket", rounds=rounds)
    each = (server.process.cpu_seconds() - cpu) / sizes.many * 1000
    _row(result, what, _round(crowd, server, what, sizes.seconds), MANY_MS)
    result.notes.append(f"{what}: arrived in {arrived:.0f} s, {each:.1f} ms of the server for each who did")
    time.sleep(PERIOD)
    began = time.monotonic()
    stage.stop(server.process)
    again = stage.product(kind, server.database, port=server.port)
    up = time.monotonic() - began
    said = _heard(crowd, what)
    stage.stop(crowd)
    back = said["slowest_back"]
    result.rows.append(
        Row(
            f"restart: the last of {sizes.many:,} is back, {kind}",
            f"{back:.1f} s" if back >= 0 else "somebody stayed away",
            target=f"<= {BACK_SECONDS:.0f} s",
            holds=0 < back <= BACK_SECONDS,
        )
    )
    with stage.connect(server.database) as connection:
        (flagged,) = connection.execute(_FLAGGED).fetchone() or (-1,)
    result.rows.append(Row(f"restart: flagged, {kind}", str(flagged), target="0", holds=flagged == 0))
    result.notes.append(f"{kind}: {said['thrown_out']:,} thrown out, answering again after {up:.1f} s")
    result.raw[f"restart_{kind}"] = {name: said[name] for name in ("errors", "thrown_out", "slowest_back")}
    stage.stop(again.process)


def _hall(stage: Stage, kind: str, name: str, number: int) -> tuple[Server, list[tuple[str, str]]]:
    """A server with that many students seated, each with a session and a token."""
    database = stage.database(f"exam_{kind}_{name}")
    environment = stage.product_environment(database, port=1)
    question = {"students": number, "grace": GRACE}
    seated = stage.ask("exam-seed", "exam_seed.py", question, seconds=300, environment=environment)
    students = [(session, stage.token_of(user)) for user, session in seated["students"]]
    stage.checkpoint()
    return stage.product(kind, database), students


def _crowd(
    stage: Stage,
    server: Server,
    students: list[tuple[str, str]],
    *,
    road: str,
    rounds: list[float],
    connections: int = 0,
) -> tuple[Process, float]:
    """The load once everybody is there, and the seconds that it took."""
    crowd = stage.python("beats", "load_beats.py")
    spec = {
        "port": server.port,
        "road": road,
        "period": PERIOD,
        "rounds": rounds,
        "connections": connections,
        "students": students,
    }
    crowd.tell(json.dumps(spec))
    return crowd, float(_heard(crowd, f"{len(students):,} students, {road}, {server.name}")["arrived_in"])


def _beat(
    stage: Stage, server: Server, students: list[tuple[str, str]], *, seconds: float, **how: Any
) -> dict[str, Any]:
    crowd, _ = _crowd(stage, server, students, rounds=[seconds], **how)
    said = _round(crowd, server, f"{len(students):,} students, {how['road']}, {server.name}", seconds)
    stage.stop(crowd)
    return said


def _round(crowd: Process, server: Server, what: str, seconds: float) -> dict[str, Any]:
    cpu, began = server.process.cpu_seconds(), time.monotonic()
    said = _heard(crowd, what)
    said["cores"] = (server.process.cpu_seconds() - cpu) / (time.monotonic() - began)
    if not said["delays"]:
        raise BenchError(f"{what}: not one beat was kept. Answers: {said['errors'] or 'none'}.")
    said["rate"] = len(said["delays"]) / seconds
    return said


def _heard(crowd: Process, what: str) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(crowd.hear())
    except BenchError as error:
        raise BenchError(f"{what}: the load gave up. {error}") from None
    return said


def _row(result: Result, what: str, said: dict[str, Any], most_ms: float | None = None) -> None:
    p95, errors = percentile(said["delays"], 0.95), sum(said["errors"].values())
    figure = f"{ms(p95)}, {errors} errors" if errors else ms(p95)
    target = f"p95 <= {most_ms:.0f} ms, 0 errors" if most_ms else "0 errors"
    holds = not errors and (most_ms is None or p95 <= most_ms)
    result.rows.append(Row(what, figure, target=target, holds=holds))
    facts = {f"p{share * 100:g}": percentile(said["delays"], share) for share in (0.5, 0.95, 0.99, 1.0)}
    result.raw[what] = {**facts, "errors": said["errors"], "cores": said["cores"], "beats": len(said["delays"])}
    result.notes.append(
        f"{what}: p50 {ms(facts['p50'])}, p99 {ms(facts['p99'])}, {rate(said['rate'])}; cores: server "
        f"{said['cores']:.2f}, generator {said['generator_cores']:.2f}"
    )
