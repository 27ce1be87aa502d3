"""What admins see of subscriptions and calls. Secrets are shown once, by whoever makes them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from jobs.models import Job
from jobs.states import Status
from webhooks.models import Call, CallState, Subscription
from webhooks.outgoing.bodies import TEST_TYPE


class SubscriptionPayload(TypedDict):
    id: UUID
    kind: str  # push, or pull for one without an address
    url: str
    description: str
    event_types: list[str]
    is_active: bool
    disabled_reason: str
    failing_since: datetime | None
    cursor: int
    created_at: datetime


class SubscriptionWithSecretPayload(SubscriptionPayload):
    secret: str


class CallPayload(TypedDict):
    id: UUID
    seq: int | None  # none of a test
    type: str
    state: str
    attempts: int
    redeliveries: int
    status_code: int | None
    error: str
    took_ms: int | None
    created_at: datetime
    delivered_at: datetime | None
    next_attempt: datetime | None


class CallDetailPayload(CallPayload):
    body: str


class FeedEventPayload(TypedDict):
    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


def subscription_payload(subscription: Subscription) -> SubscriptionPayload:
    return {
        "id": subscription.pk,
        "kind": "push" if subscription.url else "pull",
        "url": subscription.url,
        "description": subscription.description,
        "event_types": subscription.event_types,
        "is_active": subscription.is_active,
        "disabled_reason": subscription.disabled_reason,
        "failing_since": subscription.failing_since,
        "cursor": subscription.cursor,
        "created_at": subscription.created_at,
    }


def with_secret(subscription: Subscription, secret: str) -> SubscriptionWithSecretPayload:
    return {**subscription_payload(subscription), "secret": secret}


def call_payloads(calls: Iterable[Call]) -> list[CallPayload]:
    """One query more, for when the waiting ones are tried next."""
    rows = list(calls)
    keys = [_key(call) for call in rows if call.state == CallState.PENDING]
    waiting = Job.objects.filter(key__in=keys, status=Status.PENDING) if keys else Job.objects.none()
    due = dict(waiting.values_list("key", "next_attempt"))
    return [_call_payload(call, due.get(_key(call))) for call in rows]


def call_detail(call: Call) -> CallDetailPayload:
    (payload,) = call_payloads([call])
    return {**payload, "body": call.body}


def _call_payload(call: Call, next_attempt: datetime | None) -> CallPayload:
    return {
        "id": call.pk,
        "seq": None if call.event_type == TEST_TYPE else call.seq,
        "type": call.event_type,
        "state": call.state,
        "attempts": call.attempts,
        "redeliveries": call.redeliveries,
        "status_code": call.status_code,
        "error": call.error,
        "took_ms": call.took_ms,
        "created_at": call.created_at,
        "delivered_at": call.delivered_at,
        "next_attempt": next_attempt,
    }


def _key(call: Call) -> str:
    return f"call:{call.pk}:{call.redeliveries}"
