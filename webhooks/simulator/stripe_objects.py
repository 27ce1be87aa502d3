"""Stripe's objects and events in the shape of 2026: period ends on the items, invoices tied through `parent`."""

import secrets
import time
from typing import Any

from webhooks.simulator.state import JSON

API_VERSION = "2026-10-28.endive"
PERIOD = 30 * 86400
# What a subscription's life consists of, by the word the control takes.
STEPS = {
    "created": "customer.subscription.created",
    "updated": "customer.subscription.updated",
    "past_due": "customer.subscription.updated",
    "canceling": "customer.subscription.updated",
    "deleted": "customer.subscription.deleted",
    "paused": "customer.subscription.paused",
    "resumed": "customer.subscription.resumed",
    "trial_will_end": "customer.subscription.trial_will_end",
    "paid": "invoice.paid",
    "payment_failed": "invoice.payment_failed",
    "action_required": "invoice.payment_action_required",
    "completed": "checkout.session.completed",
    "expired": "checkout.session.expired",
}


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(7)}"


def customer(id_: str, *, email: str | None = None, metadata: JSON | None = None) -> JSON:
    return {
        "id": id_,
        "object": "customer",
        "email": email,
        "created": int(time.time()),
        "livemode": False,
        "metadata": metadata or {},
    }


def subscription(
    id_: str, customer_id: str, *, price: str = "price_1", amount: int = 4900, metadata: JSON | None = None
) -> JSON:
    now = int(time.time())
    item = {
        "id": new_id("si"),
        "object": "subscription_item",
        "current_period_start": now,
        "current_period_end": now + PERIOD,
        "quantity": 1,
        "price": {
            "id": price,
            "object": "price",
            "lookup_key": "pro_monthly",
            "product": "prod_1",
            "recurring": {"interval": "month", "interval_count": 1},
            "unit_amount": amount,
            "currency": "usd",
        },
    }
    return {
        "id": id_,
        "object": "subscription",
        "customer": customer_id,
        "status": "active",
        "billing_mode": {"type": "flexible"},
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "collection_method": "charge_automatically",
        "currency": "usd",
        "created": now,
        "start_date": now,
        "trial_start": None,
        "trial_end": None,
        "latest_invoice": None,
        "livemode": False,
        "metadata": metadata or {},
        "pause_collection": None,
        "items": {"object": "list", "has_more": False, "data": [item]},
    }


def after_step(thing: JSON, step: str) -> JSON:
    """The subscription as this step leaves it."""
    now, changes = int(time.time()), dict[str, Any]()
    match step:
        case "past_due":
            changes = {"status": "past_due"}
        case "canceling":
            # As the customer portal cancels in flexible billing: a date, and no flag.
            changes = {"cancel_at": thing["items"]["data"][0]["current_period_end"], "canceled_at": now}
        case "deleted":
            changes = {"status": "canceled", "canceled_at": thing["canceled_at"] or now, "ended_at": now}
        case "paused":
            changes = {"status": "paused"}
        case "resumed" | "paid":
            changes = {"status": "active"}
    return thing | changes


def invoice(thing: JSON, *, paid: bool) -> JSON:
    amount = sum(item["price"]["unit_amount"] * item["quantity"] for item in thing["items"]["data"])
    now = int(time.time())
    return {
        "id": new_id("in"),
        "object": "invoice",
        "customer": thing["customer"],
        "status": "paid" if paid else "open",
        "billing_reason": "subscription_cycle",
        "currency": thing["currency"],
        "amount_due": amount,
        "amount_paid": amount if paid else 0,
        "amount_remaining": 0 if paid else amount,
        "total": amount,
        "attempt_count": 1,
        "attempted": True,
        "next_payment_attempt": None if paid else now + 3 * 86400,
        "created": now,
        "livemode": False,
        "hosted_invoice_url": "https://invoice.stripe.example/simulated",
        "metadata": {},
        "parent": {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"subscription": thing["id"], "metadata": thing["metadata"]},
        },
    }


def event(kind: str, thing: JSON, *, previous: JSON | None = None, created: int | None = None) -> JSON:
    data: JSON = {"object": thing}
    if previous is not None:
        data["previous_attributes"] = previous
    return {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()) if created is None else created,
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
