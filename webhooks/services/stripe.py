"""Hands what Stripe said to billing. One job per event; the tombstone of the event makes it once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from crm.clients import stripe as client
from crm.models import BillingAccount, ProviderEvent
from crm.services import billing, payments
from jobs.queue import NewJob, enqueue
from jobs.tasks import RunningJob
from webhooks.bodies import Unreadable
from webhooks.fields import Fields
from webhooks.models import Delivery
from webhooks.services.reading import Reading, Unusable
from webhooks.stripe import facts, payload

PROVIDER = billing.STRIPE
APPLY, FETCH = "webhooks.apply_stripe_event", "webhooks.fetch_stripe_subscription"


@dataclass(frozen=True, slots=True)
class _Told:
    """One event, ready to be applied."""

    id: str
    type: str
    at: datetime
    object: Fields
    workspace_id: UUID | None

    @property
    def customer(self) -> str:
        return facts.customer_of(self.object)

    def account(self) -> BillingAccount | None:
        """None for somebody who paid without becoming a customer."""
        if not self.customer:
            return None
        return billing.account_for(
            customer_id=self.customer,
            names=facts.names_of(self.object),
            at=self.at,
            workspace_id=self.workspace_id,
        )


Outcome = dict[str, Any]


def read(delivery: Delivery) -> Reading:
    event = _event(delivery)
    if event.is_thin:
        return Reading(event.type, unhandled=[{"kind": event.type, "reason": "A thin event shows no object."}])
    if event.object is None:
        raise Unusable("The event carries no object.")
    if event.type not in _HANDLERS:
        return Reading(event.type, unhandled=[{"kind": event.type, "reason": ""}])
    return Reading(
        event.type,
        jobs=[
            NewJob(
                type=APPLY,
                key=f"stripe:{event.id}",
                lane=facts.lane_of(event.object),
                payload={"delivery_id": delivery.pk},
                workspace_id=delivery.workspace_id,
            )
        ],
    )


def _event(delivery: Delivery) -> payload.Event:
    try:
        return payload.read(bytes(delivery.body))
    except Unreadable as error:
        raise Unusable(str(error)) from None


def apply(*, delivery_id: int) -> Outcome:
    """Inside the job's unit of work."""
    delivery = Delivery.objects.get(pk=delivery_id)
    event = _event(delivery)
    if ProviderEvent.objects.filter(provider=PROVIDER, event_id=event.id).exists():
        return {"duplicate": True}
    workspace_id = delivery.workspace_id or billing.workspace_by_slug(settings.STRIPE_WORKSPACE)
    told = _Told(event.id, event.type, event.created or delivery.received_at, event.object or {}, workspace_id)
    outcome = _HANDLERS[event.type](told)
    applied_in = workspace_id or _workspace_of(told)
    ProviderEvent.objects.bulk_create(
        [ProviderEvent(workspace_id=applied_in, provider=PROVIDER, event_id=event.id, type=event.type[:100])],
        ignore_conflicts=True,
    )
    return outcome


def _workspace_of(told: _Told) -> UUID:
    owner = billing.owner_of(facts.names_of(told.object), told.workspace_id)
    if owner is None:
        raise billing.NoWorkspace
    return owner.workspace_id


# --- Handlers -----------------------------------------------------------------------------------------------


def _customer(told: _Told) -> Outcome:
    return _said(told.account())


def _subscription(told: _Told, *, rank: int = billing.UPDATED) -> Outcome:
    state = facts.subscription_of(told.object, at=told.at, is_over=rank == billing.DELETED)
    account = told.account()
    if state is None or account is None:
        return _said(account, reason="The subscription has no customer, or a status that is not known here.")
    if settings.STRIPE_API_KEY and billing.is_tie(account, state, told.at, rank):
        _ask(told, state.id)
    changed = billing.apply_subscription(account=account, told=state, at=told.at, rank=rank)
    return _said(account, changed=changed)


def _ask(told: _Told, subscription_id: str) -> None:
    """Another event of the same second said otherwise: only Stripe knows which came later."""
    enqueue(
        FETCH,
        key=f"stripe:fetch:{subscription_id}:{told.id}"[:400],
        lane=f"in:stripe:{told.customer}"[:200],
        workspace_id=told.workspace_id,
        payload={"customer_id": told.customer, "subscription_id": subscription_id, "at": told.at.isoformat()},
    )


def _subscription_created(told: _Told) -> Outcome:
    return _subscription(told, rank=billing.CREATED)


def _subscription_deleted(told: _Told) -> Outcome:
    return _subscription(told, rank=billing.DELETED)


def _invoice(told: _Told, status: str, failure: str = "") -> Outcome:
    account = told.account()
    attempt = facts.invoice_attempt(told.object, status=status, at=told.at, failure=failure)
    if account is not None and status != "pending":
        billing.apply_invoice(account=account, is_paid=status == "paid", at=told.at)
    return _record(told, account, attempt)


def _invoice_paid(told: _Told) -> Outcome:
    return _invoice(told, "paid")


def _invoice_failed(told: _Told) -> Outcome:
    return _invoice(told, "failed", "payment_failed")


def _invoice_waits(told: _Told) -> Outcome:
    return _invoice(told, "pending", "action_required")


def _checkout_completed(told: _Told) -> Outcome:
    account, subscription_id = told.account(), facts.subscription_id_of(told.object)
    if account is not None and subscription_id:
        billing.link_subscription(account=account, subscription_id=subscription_id)
    # `unpaid`: by a method that takes days; async_payment_succeeded or _failed tells how it ended.
    status = "pending" if told.object.get("payment_status") == "unpaid" else "paid"
    return _record(told, account, facts.checkout_attempt(told.object, status=status, at=told.at))


def _checkout_paid(told: _Told) -> Outcome:
    return _record(told, told.account(), facts.checkout_attempt(told.object, status="paid", at=told.at))


def _checkout_failed(told: _Told) -> Outcome:
    return _record(told, told.account(), facts.checkout_attempt(told.object, status="failed", at=told.at))


def _checkout_expired(told: _Told) -> Outcome:
    """Nobody paid and nothing was owed: there is nothing to write."""
    return {"expired": True}


def _record(told: _Told, account: BillingAccount | None, attempt: payments.Attempt | None) -> Outcome:
    if attempt is None:
        return _said(account)
    workspace_id, user_id = _payer(told, account)
    changed = payments.record_attempt(workspace_id=workspace_id, user_id=user_id, attempt=attempt)
    return _said(account, changed=changed, payment=attempt.payment_id)


def _refunded(told: _Told) -> Outcome:
    return _after(told, facts.refund(told.object))


def _disputed(told: _Told) -> Outcome:
    return _after(told, facts.dispute(told.object))


def _after(told: _Told, event: payments.AfterPayment | None) -> Outcome:
    account = told.account()
    if event is None:
        return _said(account, reason="The event names no payment.")
    workspace_id, user_id = _payer(told, account)
    payments.record_after_payment(workspace_id=workspace_id, user_id=user_id, told=event)
    return _said(account, payment=event.payment_id)


def _payer(told: _Told, account: BillingAccount | None) -> tuple[UUID, UUID | None]:
    if account is not None:
        return account.workspace_id, account.user_id
    owner = billing.owner_of(facts.names_of(told.object), told.workspace_id)
    if owner is None:
        raise billing.NoWorkspace
    return owner.workspace_id, owner.user_id


def _said(account: BillingAccount | None, **more: Any) -> Outcome:
    return {"billing_account_id": str(account.pk) if account else None, **more}


_HANDLERS: dict[str, Callable[[_Told], Outcome]] = {
    "checkout.session.completed": _checkout_completed,
    "checkout.session.async_payment_succeeded": _checkout_paid,
    "checkout.session.async_payment_failed": _checkout_failed,
    "checkout.session.expired": _checkout_expired,
    "customer.subscription.created": _subscription_created,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription_deleted,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "customer.subscription.trial_will_end": _subscription,
    "invoice.paid": _invoice_paid,
    "invoice.payment_succeeded": _invoice_paid,
    "invoice.payment_failed": _invoice_failed,
    "invoice.payment_action_required": _invoice_waits,
    "customer.created": _customer,
    "customer.updated": _customer,
    "charge.refunded": _refunded,
    "charge.dispute.created": _disputed,
}


# --- Asking Stripe ------------------------------------------------------------------------------------------


def fetch(job: RunningJob, *, customer_id: str, subscription_id: str, at: str) -> Outcome:
    """No transaction is open during the call."""
    found = client.get_subscription(subscription_id)
    moment = datetime.fromisoformat(at)
    state = facts.subscription_of(found, at=moment) if found else None
    if state is None or state.id != subscription_id or facts.customer_of(found or {}) != customer_id:
        return {"known": False}
    with job.completing(result={"known": True}):
        billing.lock_customer(customer_id)
        account = BillingAccount.objects.select_for_update(no_key=True).get(stripe_customer_id=customer_id)
        billing.apply_subscription(account=account, told=state, at=moment, rank=billing.FETCHED)
    return {"known": True}
