"""Outgoing webhooks: a feed's events become calls, and each call is made."""

from typing import Any
from uuid import UUID

from jobs.tasks import RunningJob, task
from webhooks.services import calls, fanout


@task(fanout.DISPATCH)
def dispatch_feed(job: RunningJob, workspace_id: str) -> dict[str, Any]:
    return fanout.dispatch(workspace_id=UUID(workspace_id))


def _give_up(job: RunningJob, error: Exception) -> None:
    calls.mark_failed(call_id=UUID(job.payload["call_id"]), redelivery=job.payload["redelivery"])


@task(fanout.CALL, max_attempts=calls.TRIES, atomic=False, on_failed=_give_up)
def call_subscription(job: RunningJob, call_id: str, redelivery: int) -> None:
    calls.deliver(job=job, call_id=UUID(call_id), redelivery=redelivery)
