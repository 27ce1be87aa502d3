"""What the demo's outbox shows on the first look: a broken delivery, one that is not handled, sends that failed."""

import json
from datetime import datetime, timedelta

from config.run.demo.people import DEMO
from inbox.clients.kapso_errors import explain
from inbox.models import Channel, Message
from inbox.states import Direction, MessageStatus
from jobs.models import Job, JobAttempt
from jobs.states import Status
from webhooks.models import Delivery, DeliveryState, Provider

BROKEN = b'{"message": {"id": "wamid.demo-broken", "type": "text", "text": '
UNKNOWN_ID, UNKNOWN_TYPE = "evt_demo_1", "account.application.deauthorized"
UNKNOWN = {"id": UNKNOWN_ID, "type": UNKNOWN_TYPE, "data": {"object": {"id": "ca_demo"}}}
BUSY = "130429"
SECONDS = (0, 2, 6)  # after the first try


def create_outbox(now: datetime) -> None:
    _failed_sends()
    channel = Channel.objects.get(slug="demo-kapso")
    Delivery.objects.bulk_create(
        [
            Delivery(
                provider=Provider.KAPSO,
                channel_id=channel.pk,
                workspace_id=DEMO.id,
                event_key="demo-broken",
                event="whatsapp.message.received",
                headers={"x-webhook-event": "whatsapp.message.received"},
                body=BROKEN,
                state=DeliveryState.FAILED,
                outcome={"reason": "The body is not JSON."},
            ),
            Delivery(
                provider=Provider.STRIPE,
                workspace_id=DEMO.id,
                event_key=UNKNOWN_ID,
                event=UNKNOWN_TYPE,
                body=json.dumps(UNKNOWN).encode(),
                state=DeliveryState.UNHANDLED,
                outcome={
                    "items": [],
                    "unhandled": [{"kind": UNKNOWN_TYPE, "reason": "Nothing here depends on it."}],
                },
            ),
        ]
    )
    Delivery.objects.filter(workspace_id=DEMO.id).update(received_at=now - timedelta(minutes=50))


def _failed_sends() -> None:
    """The jobs behind the messages that the demo shows as not delivered."""
    messages = Message.objects.filter(workspace_id=DEMO.id, direction=Direction.OUT, status=MessageStatus.FAILED)
    for message in sorted(messages.order_by("-pk")[:5], key=lambda message: message.created_at):
        code = message.error_code or "131026"
        error = f"ProviderError: {explain(code, message.error_message)}"
        job = Job.objects.create(
            key=f"send:{message.pk}:{message.send_attempt}",
            type="inbox.deliver_message",
            outgoing=True,
            workspace_id=DEMO.id,
            payload={"message_id": str(message.pk), "attempt": message.send_attempt},
            status=Status.FAILED,
            attempts=len(SECONDS),
            last_error=error,
            error_code=code,
            started_at=message.created_at,
            completed_at=message.created_at + timedelta(seconds=SECONDS[-1]),
        )
        Job.objects.filter(pk=job.pk).update(created_at=message.created_at)
        JobAttempt.objects.bulk_create(
            [
                JobAttempt(
                    job_id=job.pk,
                    attempt=number,
                    at=message.created_at + timedelta(seconds=seconds),
                    took=timedelta(milliseconds=180 + 40 * number),
                    error=error if number == len(SECONDS) else f"ProviderError: {explain(BUSY)}",
                    error_code=code if number == len(SECONDS) else BUSY,
                )
                for number, seconds in enumerate(SECONDS, 1)
            ]
        )
