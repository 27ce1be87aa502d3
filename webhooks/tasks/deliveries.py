"""What a kept delivery becomes, whoever sent it."""

from typing import Any

from jobs.tasks import RunningJob, Together, task
from webhooks.services import deliveries, scores


def _give_up(job: RunningJob, error: Exception) -> None:
    deliveries.give_up(job=job, delivery_id=job.payload["delivery_id"])


@task("webhooks.unpack_delivery", on_failed=_give_up, together=Together(scores.group, scores.apply_together))
def unpack_delivery(job: RunningJob, delivery_id: int, replay: int = 0) -> dict[str, Any]:
    return deliveries.unpack(delivery_id=delivery_id, again=bool(replay), job=job)
