"""A job in the hands of a worker: what its handler sees of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from config.live.unit import unit_of_work
from jobs import leases
from jobs.payloads import JSON


@dataclass
class RunningJob:
    id: int
    key: str
    type: str
    lane: str
    workspace_id: UUID | None
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    lease_token: int
    died: bool = False  # taken over from a worker that was killed or hung
    completed: bool = field(default=False, init=False)
    followed: bool = field(default=False, init=False)  # others wait in its lane

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> "RunningJob":
        """In the order of the fields; the payload is still text."""
        job_id, key, type_, lane, workspace_id, payload, *rest = row
        return cls(job_id, key, type_, lane, workspace_id, orjson.loads(payload), *rest)

    @property
    def last_attempt(self) -> bool:
        return self.attempt >= self.max_attempts

    @contextmanager
    def completing(self, *, result: JSON = None) -> Iterator[None]:
        """One unit of work in which the effect and the completion commit. LeaseLost, and neither does, when somebody
        else holds the job by now."""
        with unit_of_work():
            yield
            followed = leases.complete(self.id, self.lease_token, result)
        self.completed, self.followed = True, followed

    def extend(self, by: timedelta) -> None:
        """Holds the job for `by` from now. The worker renews leases by itself; this is for work that outlasts
        the task's `longest_run`, and raises LeaseLost as a check before a step that cannot be undone."""
        leases.extend(self.id, self.lease_token, by)
