"""Pushed scores."""

from typing import Any

from jobs.tasks import RunningJob, task
from webhooks.services import scores


@task(scores.APPLY)
def apply_score(job: RunningJob, delivery_id: int) -> dict[str, Any]:
    return scores.apply(delivery_id=delivery_id)
