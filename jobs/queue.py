"""Puts jobs into the table, once per key, in the caller's transaction; wakes a worker when it commits.

`enqueue` is for services. A hot road, which has no ORM and writes many rows at once, puts `INSERT_SQL` (or
`insert_from` over a SELECT of its own) into its statement as a CTE or beside it, and calls `awake` after the commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import connection, transaction

from jobs import nudge, statements, tasks
from jobs.payloads import JSON, dump
from jobs.running import RunningJob

_COLUMNS = "key, type, lane, workspace_id, payload, max_attempts, outgoing, delay"


def insert_from(select: str) -> str:
    """Inserts the jobs that a SELECT yields: key text, type text, lane text, workspace_id uuid, payload jsonb,
    max_attempts int, outgoing bool, delay interval. For the two before the last see `tasks.named(type)`."""
    # Numbered as they come, which is their order in the lane; written by key, so that two statements which share
    # keys meet them in the same order and don't deadlock.
    return f"""
INSERT INTO job (id, key, type, lane, workspace_id, payload, max_attempts, outgoing, next_attempt)
SELECT id, key, type, lane, workspace_id, payload, max_attempts, outgoing, now() + delay
FROM (SELECT nextval('job_id_seq') AS id, new_job.* FROM ({select}) AS new_job ({_COLUMNS})) AS numbered
ORDER BY key
ON CONFLICT (key) DO NOTHING
"""  # noqa: S608 - both parts are constants of the code


INSERT_SQL = insert_from(
    """
    SELECT key, type, lane, workspace_id, payload::jsonb, max_attempts, outgoing, delay
    FROM unnest(
        %(job_keys)s::text[], %(job_types)s::text[], %(job_lanes)s::text[], %(job_workspaces)s::uuid[],
        %(job_payloads)s::text[], %(job_max_attempts)s::int[], %(job_outgoing)s::bool[], %(job_delays)s::interval[]
    ) AS given (key, type, lane, workspace_id, payload, max_attempts, outgoing, delay)
    """
)

# Of one whose lease is lost nothing is said: its completion, in the same transaction, finds that out.
_TAKE_OVER = """
UPDATE job SET key = given.key, type = given.type, payload = given.payload::jsonb, max_attempts = given.max_attempts
FROM unnest(
    %(ids)s::bigint[], %(tokens)s::bigint[], %(job_keys)s::text[], %(job_types)s::text[], %(job_payloads)s::text[],
    %(job_max_attempts)s::int[]
) AS given (id, token, key, type, payload, max_attempts)
WHERE job.id = given.id AND job.lease_token = given.token
    AND NOT EXISTS (SELECT 1 FROM job AS known WHERE known.key = given.key)
"""


@dataclass(frozen=True)
class NewJob:
    """`key` makes it once, `lane` keeps the order among its likes ("" for none)."""

    type: str
    key: str
    lane: str
    payload: Mapping[str, JSON]
    workspace_id: UUID | None = None
    delay: timedelta = timedelta()


def params(jobs: Sequence[NewJob]) -> dict[str, list[object]]:
    """The named parameters of INSERT_SQL. In a lane, jobs keep the order in which they are given."""
    of = [(job, tasks.named(job.type)) for job in jobs]
    return {
        "job_keys": [job.key for job, _ in of],
        "job_types": [job.type for job, _ in of],
        "job_lanes": [job.lane for job, _ in of],
        "job_workspaces": [job.workspace_id for job, _ in of],
        "job_payloads": [dump(job.payload) for job, _ in of],
        "job_max_attempts": [task.max_attempts for _, task in of],
        "job_outgoing": [task.outgoing for _, task in of],
        "job_delays": [job.delay for job, _ in of],
    }


def enqueue(
    type_: str,
    /,
    *,
    key: str,
    lane: str,
    workspace_id: UUID | None = None,
    delay: timedelta | None = None,
    payload: Mapping[str, JSON] | None = None,
) -> None:
    """Inside a transaction. A key that is known already adds nothing."""
    enqueue_many([NewJob(type_, key, lane, payload or {}, workspace_id, delay or timedelta())])


def enqueue_many(jobs: Sequence[NewJob]) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("enqueue() outside a transaction: the job would not commit with its cause")
    if not jobs:
        return
    statements.execute(INSERT_SQL, params(jobs))
    for outgoing in {tasks.named(job.type).outgoing for job in jobs}:
        wake(outgoing=outgoing)


def take_over(job: RunningJob, new: NewJob) -> bool:
    """The job in hand is `new` from now on, which must be of its lane and kind, and is done in the same transaction:
    what would have been a job that makes a job. False, and nothing changed, when the key is known."""
    return take_over_all([(job, new)])


def take_over_all(pairs: Sequence[tuple[RunningJob, NewJob]]) -> bool:
    """As `take_over` for each. False when one of the keys is known: roll back, the others have changed."""
    for job, new in pairs:
        if new.lane != job.lane or tasks.named(new.type).outgoing != tasks.named(job.type).outgoing:
            raise ValueError(f"{new.type} cannot take over a {job.type}: another lane, or another kind")
    given = params([new for _, new in pairs])
    named = {name: given[name] for name in ("job_keys", "job_types", "job_payloads", "job_max_attempts")}
    held: dict[str, list[object]] = {
        "ids": [job.id for job, _ in pairs],
        "tokens": [job.lease_token for job, _ in pairs],
    }
    return statements.execute(_TAKE_OVER, held | named).rowcount == len(pairs)


def wake(*, outgoing: bool | None = None) -> None:
    """Nudges a worker once the open transaction commits, at once when there is none. `outgoing` says for which kind."""
    transaction.on_commit(partial(nudge.ring, outgoing))


async def awake() -> None:
    """The same for a hot road, after its own commit. Never waits for Redis."""
    nudge.ring()
