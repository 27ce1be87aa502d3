"""The identity provider's events."""

from typing import Any

from jobs.tasks import RunningJob, task
from webhooks.services import identity


@task(identity.APPLY)
def apply_identity_event(job: RunningJob, delivery_id: int) -> dict[str, Any]:
    return identity.apply(delivery_id=delivery_id)
