"""Items of Kapso's deliveries."""

from typing import Any

from jobs.tasks import RunningJob, task
from webhooks.services import kapso


@task("webhooks.receive_kapso_message")
def receive_kapso_message(job: RunningJob, delivery_id: int, position: int) -> dict[str, Any]:
    return kapso.receive(delivery_id=delivery_id, position=position)


@task("webhooks.edit_kapso_message")
def edit_kapso_message(job: RunningJob, delivery_id: int, position: int) -> dict[str, Any]:
    return kapso.edit(delivery_id=delivery_id, position=position)


@task("webhooks.delete_kapso_message")
def delete_kapso_message(job: RunningJob, delivery_id: int, position: int) -> dict[str, Any]:
    return kapso.delete(delivery_id=delivery_id, position=position)


@task("webhooks.record_kapso_identity")
def record_kapso_identity(job: RunningJob, delivery_id: int, position: int) -> dict[str, Any]:
    return kapso.record_identity(delivery_id=delivery_id, position=position)


@task("webhooks.record_kapso_echo")
def record_kapso_echo(job: RunningJob, delivery_id: int, position: int) -> dict[str, Any]:
    return kapso.record_echo(delivery_id=delivery_id, position=position)


@task("webhooks.record_kapso_receipt")
def record_kapso_receipt(job: RunningJob, delivery_id: int, position: int) -> dict[str, Any]:
    return kapso.record_receipt(delivery_id=delivery_id, position=position)
