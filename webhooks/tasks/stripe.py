"""Stripe's events, and what it is asked about them."""

from typing import Any

from jobs.tasks import RunningJob, task
from webhooks.services import stripe


@task(stripe.APPLY)
def apply_stripe_event(job: RunningJob, delivery_id: int) -> dict[str, Any]:
    return stripe.apply(delivery_id=delivery_id)


@task(stripe.FETCH, atomic=False)
def fetch_stripe_subscription(job: RunningJob, customer_id: str, subscription_id: str, at: str) -> dict[str, Any]:
    return stripe.fetch(job, customer_id=customer_id, subscription_id=subscription_id, at=at)
