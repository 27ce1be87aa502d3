"""Signs what the installation's senders would send, and carries their deliveries through to the end."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
from asgiref.sync import sync_to_async

from jobs.models import Job
from tests.cast import unique
from tests.jobs_at_hand import run_job
from webhooks.models import Delivery

STRIPE_SECRET = "whsec_test_stripe"
KEY = b"a-key-of-32-bytes-for-tests-only"
STANDARD_SECRET = "whsec_" + base64.b64encode(KEY).decode()
JSON = {"Content-Type": "application/json"}


def encoded(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


def stripe_headers(body: bytes, *, secret: str = STRIPE_SECRET, at: int | None = None) -> dict[str, str]:
    at = at or int(time.time())
    digest = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return {**JSON, "Stripe-Signature": f"t={at},v1={digest}"}


def standard_headers(
    body: bytes, *, message: str = "", family: str = "webhook", at: int | None = None
) -> dict[str, str]:
    at, message = at or int(time.time()), message or unique("msg")
    digest = hmac.new(KEY, f"{message}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        **JSON,
        f"{family}-id": message,
        f"{family}-timestamp": str(at),
        f"{family}-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


async def push_stripe(client: httpx.AsyncClient, payload: Any, **given: Any) -> httpx.Response:
    body = encoded(payload)
    return await client.post("/webhooks/stripe", content=body, headers=stripe_headers(body, **given))


async def push(client: httpx.AsyncClient, path: str, payload: Any, **given: Any) -> httpx.Response:
    body = encoded(payload)
    return await client.post(path, content=body, headers=standard_headers(body, **given))


def finish(delivery: Delivery) -> Delivery:
    """Unpacks it and runs what it became."""
    for job in Job.objects.filter(key=f"delivery:{delivery.pk}"):
        run_job(job.pk)
    delivery.refresh_from_db()
    for job in Job.objects.filter(key__in=delivery.outcome.get("items", [])).order_by("id"):
        run_job(job.pk)
    delivery.refresh_from_db()
    return delivery


@sync_to_async
def finish_all(provider: str, workspace_id: Any) -> list[Delivery]:
    return [finish(one) for one in Delivery.objects.filter(provider=provider, workspace_id=workspace_id).order_by("id")]
