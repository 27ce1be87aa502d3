"""Items of Twilio's deliveries."""

from typing import Any

from jobs.tasks import RunningJob, task
from webhooks.services import twilio


@task("webhooks.receive_twilio_message")
def receive_twilio_message(job: RunningJob, delivery_id: int) -> dict[str, Any]:
    return twilio.receive(delivery_id=delivery_id)


@task("webhooks.record_twilio_receipt")
def record_twilio_receipt(job: RunningJob, delivery_id: int) -> dict[str, Any]:
    return twilio.record_receipt(delivery_id=delivery_id)
