"""What the outside sees of billing, and reads of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db.models import QuerySet

from crm import access
from crm.actors import Caller
from crm.models import PAST_DUE, BillingAccount, PaymentAttempt
from crm.roles import Action


class StandingPayload(TypedDict):
    status: str
    past_due: bool


class OwnerPayload(TypedDict):
    kind: str
    id: UUID


class BillingAccountPayload(TypedDict):
    id: UUID
    owner: OwnerPayload
    stripe_customer_id: str
    stripe_subscription_id: str
    status: str
    past_due: bool
    price_id: str
    quantity: int | None
    period_end: datetime | None
    trial_ends_at: datetime | None
    cancels_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    collection_paused: str
    collection_resumes_at: datetime | None
    payment_failed_at: datetime | None
    created_at: datetime
    updated_at: datetime


class FailurePayload(TypedDict):
    code: str
    message: str


class PaymentAttemptPayload(TypedDict):
    id: UUID
    payment_id: str
    provider: str
    user: UUID | None
    payer_id: str
    invoice_id: str
    status: str
    charge_type: str
    currency: str
    amount: int
    subtotal: int | None
    tax: int | None
    refunded_amount: int
    failure: FailurePayload | None
    paid_at: datetime | None
    failed_at: datetime | None
    billed_at: datetime | None
    created_at: datetime
    updated_at: datetime


def list_accounts(actor: Caller, *, customer: str = "", status: str = "") -> "QuerySet[BillingAccount]":
    access.check(actor, Action.MANAGE)
    accounts = BillingAccount.objects.filter(workspace_id=actor.workspace_id)
    if customer:
        accounts = accounts.filter(stripe_customer_id=customer)
    return accounts.filter(status=status) if status else accounts


def list_attempts(
    actor: Caller, *, payment: str = "", payer: str = "", user: UUID | None = None
) -> "QuerySet[PaymentAttempt]":
    access.check(actor, Action.MANAGE)
    attempts = PaymentAttempt.objects.filter(workspace_id=actor.workspace_id, deleted_at=None)
    if payment:
        attempts = attempts.filter(payment_id=payment)
    if payer:
        attempts = attempts.filter(payer_id=payer)
    return attempts.filter(user_id=user) if user else attempts


def standings(workspace_ids: Iterable[UUID]) -> dict[UUID, StandingPayload]:
    """How each workspace stands with its own bill; one that has none is not in it. Nothing is locked by it.

    With several accounts the worst counts.
    """
    wanted = list(workspace_ids)
    if not wanted:
        return {}
    accounts = BillingAccount.objects.filter(workspace_id__in=wanted, is_workspace=True)
    found: dict[UUID, StandingPayload] = {}
    rows = accounts.exclude(status="none").order_by("updated_at", "id").values_list("workspace_id", "status")
    for workspace_id, status in rows:
        past_due = status in PAST_DUE
        if past_due or not found.get(workspace_id, {"past_due": False})["past_due"]:
            found[workspace_id] = {"status": status, "past_due": past_due}
    return found


def account_payload(account: BillingAccount) -> BillingAccountPayload:
    return {
        "id": account.pk,
        "owner": _owner(account),
        "stripe_customer_id": account.stripe_customer_id,
        "stripe_subscription_id": account.stripe_subscription_id,
        "status": account.status,
        "past_due": account.status in PAST_DUE,
        "price_id": account.price_id,
        "quantity": account.quantity,
        "period_end": account.period_end,
        "trial_ends_at": account.trial_ends_at,
        "cancels_at": account.cancels_at,
        "canceled_at": account.canceled_at,
        "ended_at": account.ended_at,
        "collection_paused": account.collection_paused,
        "collection_resumes_at": account.collection_resumes_at,
        "payment_failed_at": account.payment_failed_at,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


def _owner(account: BillingAccount) -> OwnerPayload:
    if account.contact_id:
        return {"kind": "contact", "id": account.contact_id}
    if account.user_id:
        return {"kind": "user", "id": account.user_id}
    return {"kind": "workspace", "id": account.workspace_id}


def attempt_payload(attempt: PaymentAttempt) -> PaymentAttemptPayload:
    failed = bool(attempt.failure_code or attempt.failure_message)
    return {
        "id": attempt.pk,
        "payment_id": attempt.payment_id,
        "provider": attempt.provider,
        "user": attempt.user_id,
        "payer_id": attempt.payer_id,
        "invoice_id": attempt.invoice_id,
        "status": attempt.status,
        "charge_type": attempt.charge_type,
        "currency": attempt.currency,
        "amount": attempt.amount,
        "subtotal": attempt.subtotal,
        "tax": attempt.tax,
        "refunded_amount": attempt.refunded_amount,
        "failure": {"code": attempt.failure_code, "message": attempt.failure_message} if failed else None,
        "paid_at": attempt.paid_at,
        "failed_at": attempt.failed_at,
        "billed_at": attempt.billed_at,
        "created_at": attempt.created_at,
        "updated_at": attempt.updated_at,
    }
