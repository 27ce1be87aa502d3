"""Deliveries turned into messages per second by one worker process, next to the same SQL through bare psycopg.

The yardstick is exact: the statements that the product ran for the same deliveries are recorded once and sent again, in
the same transactions, over one plain connection to a copy of the database as it was before.
"""

import sys
import time
from typing import Any

import orjson
from deliveries import EXAMPLE
from processes import BenchError
from report import Result, Row, median, rate
from stage import Stage

TITLE = "kept deliveries into announced messages, one worker process"
TARGET = 0.4
AIM = 200  # a second
CUSTOMERS = 100
ROUNDS = 3
LONGEST = 120.0  # seconds until a round counts as stuck


def take(stage: Stage) -> Result:
    deliveries = 100 if stage.quick else 1_000
    rounds = 1 if stage.quick else ROUNDS
    recorded = _record(stage, min(deliveries, 300))
    ours: list[float] = []
    bare: list[float] = [_replay(stage, recorded, "bare0")]
    for number in range(rounds):
        ours.append(_worker(stage, f"worker{number}", deliveries))
        bare.append(_replay(stage, recorded, f"bare{number + 1}"))
    ratios = [speed / ((bare[at] + bare[at + 1]) / 2) for at, speed in enumerate(ours)]
    ratio = median(ratios)
    speed = median(ours)
    result = Result("jobs", TITLE)
    result.rows = [
        Row(
            "messages announced per second, one worker",
            rate(speed),
            rate(median(bare)),
            f"{ratio:.2f}",
            f">= {TARGET}",
            ratio >= TARGET,
        ),
        Row("the aim", rate(speed), target=f"{AIM}/s", holds=None if speed < AIM else True),
    ]
    result.notes = [f"{recorded['statements'] / recorded['messages']:.1f} statements a delivery"]
    result.raw = {"ours": ours, "bare": bare}
    return result


def _filled(stage: Stage, name: str, deliveries: int) -> str:
    """A database in which that many deliveries are kept, each with its job, and nothing was done yet; always alike."""
    original = f"kept_{deliveries}"
    with stage.connect("postgres") as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [original]).fetchone():
            _keep(stage, stage.database(original), deliveries)
        connection.execute(f"create database {name} template {original}")
    stage.checkpoint()
    return name


def _keep(stage: Stage, database: str, deliveries: int) -> None:
    spec = {**stage.cast, "bodies": [_body(number).decode() for number in range(deliveries)]}
    stage.ask("keeper", "product_keep.py", spec, environment=stage.product_environment(database, port=1))


def _body(number: int) -> bytes:
    """One of the customers writes; each of them several times."""
    phone = f"62812{10_000_000 + number % CUSTOMERS}"
    message, conversation = EXAMPLE["message"], EXAMPLE["conversation"]
    return orjson.dumps(
        {
            **EXAMPLE,
            "message": {
                **message,
                "id": f"wamid.bench.{number}",
                "timestamp": str(int(time.time())),
                "from": phone,
                "from_user_id": f"ID.{phone}",
                "text": {"body": f"Message {number}"},
            },
            "conversation": {**conversation, "phone_number": f"+{phone}", "business_scoped_user_id": f"ID.{phone}"},
        }
    )


def _worker(stage: Stage, name: str, deliveries: int) -> float:
    database = _filled(stage, name, deliveries)
    command = [sys.executable, "-m", "celery", "-A", "config.celery", "worker", "--pool=threads", "-c", "8"]
    quiet = ["--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    environment = stage.product_environment(database, port=1)
    worker = stage.start(name, [*command, *quiet], environment=environment)
    try:
        return _speed(stage, database, deliveries)
    finally:
        stage.stop(worker)


def _speed(stage: Stage, database: str, deliveries: int) -> float:
    """From the first job taken up to the last message announced, by the database's clock."""
    deadline = time.monotonic() + LONGEST
    with stage.connect(database) as connection:
        while time.monotonic() < deadline:
            row = connection.execute("select count(*) from inbox_message").fetchone()
            if row and row[0] >= deliveries:
                span = connection.execute(
                    "select extract(epoch from max(completed_at) - min(started_at)) from job where status = 'completed'"
                ).fetchone()
                return deliveries / float(span[0]) if span else 0.0
            time.sleep(0.2)
    raise BenchError(f"after {LONGEST:.0f} s not all deliveries had become messages")


def _record(stage: Stage, deliveries: int) -> dict[str, Any]:
    """What the product says to the database for these deliveries, kept in a file."""
    database = _filled(stage, "recorded", deliveries)
    path = stage.folder / "statements.pickle"
    environment = stage.product_environment(database, port=1)
    answer = stage.ask("recorder", "product_drain.py", {"path": str(path)}, environment=environment, seconds=300)
    if answer["messages"] != deliveries:
        raise BenchError(f"{answer['messages']} messages came of {deliveries} deliveries")
    return {**answer, "path": str(path), "deliveries": deliveries}


def _replay(stage: Stage, recorded: dict[str, Any], name: str) -> float:
    database = _filled(stage, name, recorded["deliveries"])
    spec = {"path": recorded["path"], "url": stage.postgres.url_for(database)}
    answer = stage.ask(name, "replay_statements.py", spec, seconds=300)
    with stage.connect(database) as connection:
        row = connection.execute("select count(*) from inbox_message").fetchone()
    if not row or row[0] != recorded["deliveries"]:
        raise BenchError(f"the replay made {row and row[0]} messages of {recorded['deliveries']}")
    return float(recorded["deliveries"] / answer["seconds"])
