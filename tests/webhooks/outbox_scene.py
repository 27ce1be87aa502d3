"""Deliveries and jobs as they stand after something happened, made by the roads' own readers and services."""

import json
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from inbox.models import Conversation, Message
from inbox.services.messages import send_message
from jobs.models import Job
from tests.cast import Cast, unique
from tests.jobs_at_hand import run_job
from webhooks.models import Delivery
from webhooks.services.deliveries import unpack


def text_payload(body: str = "Halo", **message: Any) -> dict[str, Any]:
    return {
        "message": {
            "id": unique("wamid"),
            "timestamp": "1763668790",
            "type": "text",
            "from": "6281234567890",
            "text": {"body": body},
            "kapso": {"direction": "inbound", "status": "received", "origin": "cloud_api"},
            **message,
        },
        "conversation": {"phone_number": "+6281234567890", "kapso": {"contact_name": "Budi"}},
        "phone_number_id": "100000000000001",
    }


def keep(cast: Cast, body: bytes | dict[str, Any], **fields: Any) -> Delivery:
    """As the road keeps it, less the job that unpacks it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery.objects.create(
        provider="kapso",
        channel_id=cast.channel.pk,
        workspace_id=cast.workspace.pk,
        event_key=unique("key"),
        headers={"x-webhook-event": "whatsapp.message.received"},
        body=raw,
        **fields,
    )


def unpacked(cast: Cast, body: bytes | dict[str, Any]) -> Delivery:
    delivery = keep(cast, body)
    unpack(delivery_id=delivery.pk)
    delivery.refresh_from_db()
    return delivery


def run_items(delivery: Delivery) -> None:
    delivery.refresh_from_db()
    for job in Job.objects.filter(key__in=delivery.outcome.get("items", [])).order_by("id"):
        run_job(job.pk)


def make_job(cast: Cast | None, status: str = "failed", **fields: Any) -> Job:
    """A row as the engine would have left it."""
    ended = status in {"failed", "completed", "dismissed"}
    values: dict[str, Any] = {
        "key": unique("job"),
        "type": "webhooks.unpack_delivery",
        "workspace_id": cast.workspace.pk if cast else None,
        "status": status,
        "attempts": 8,
        "last_error": "ProviderError: the provider answered 500" if status == "failed" else "",
        "error_code": "500" if status == "failed" else "",
        "completed_at": timezone.now() if ended else None,
        **fields,
    }
    return Job.objects.create(**values)


def sent(cast: Cast, conversation: Conversation, body: str = "Hello") -> tuple[Message, Job]:
    message, _ = send_message(actor=cast.actor(cast.ben), conversation_id=conversation.pk, client_id=uuid4(), body=body)
    return message, job_of(message.pk, 0)


def job_of(message_id: UUID, attempt: int) -> Job:
    return Job.objects.get(key=f"send:{message_id}:{attempt}")
