"""What a kept delivery becomes, whoever sent it."""

from typing import Any

from jobs.tasks import RunningJob, task
from webhooks.services import deliveries


@task("webhooks.unpack_delivery")
def unpack_delivery(job: RunningJob, delivery_id: int, replay: int = 0) -> dict[str, Any]:
    return deliveries.unpack(delivery_id=delivery_id, again=bool(replay))
