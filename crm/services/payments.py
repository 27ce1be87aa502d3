"""Attempts to pay, as the providers tell of them; and taking one's own off the list.

Like billing: whatever the order of the tellings, the same row comes out. What was paid never becomes unpaid again.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm.models import PaymentAttempt, PaymentStatus, User
from crm.profiles import announce_payment

LONG_AGO = datetime.min.replace(tzinfo=UTC)
DISPUTED = "disputed"
_RANK = {PaymentStatus.PENDING: 0, PaymentStatus.FAILED: 1, PaymentStatus.PAID: 2, PaymentStatus.REFUNDED: 3}


@dataclass(frozen=True, slots=True)
class Attempt:
    """As the invoice, the checkout or the identity provider's billing tells of it."""

    payment_id: str
    provider: str
    status: str
    at: datetime
    payer_id: str = ""
    invoice_id: str = ""
    charge_type: str = ""
    currency: str = ""
    amount: int = 0
    subtotal: int | None = None
    tax: int | None = None
    failure_code: str = ""
    failure_message: str = ""
    paid_at: datetime | None = None
    failed_at: datetime | None = None
    billed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AfterPayment:
    """What befell a payment later on: money given back, or a dispute about it."""

    payment_id: str
    provider: str
    payer_id: str
    invoice_id: str
    currency: str
    amount: int
    paid_at: datetime | None
    refunded_amount: int = 0  # so far, a part included
    is_refunded: bool = False  # all of it
    dispute: str = ""  # the reason


# What an attempt says of itself; the rest of the row is decided separately.
_OWN = tuple(
    field.name for field in fields(Attempt) if field.name not in {"payment_id", "provider", "status", "at", "failed_at"}
)


@unit_of_work
def record_attempt(*, workspace_id: UUID, user_id: UUID | None, attempt: Attempt) -> bool:
    """False when what is known decides over it."""
    row = _row(workspace_id, user_id, attempt.provider, attempt.payment_id, attempt.invoice_id)
    row.workspace_id, row.user_id = workspace_id, user_id or row.user_id
    if row.provider_updated_at is not None and _key(attempt) <= _stored_key(row):
        row.save()
        return False
    for name in _OWN:
        value = getattr(attempt, name)
        # An address of the payer or the invoice that another telling knew is not unlearnt.
        if name in {"payer_id", "invoice_id", "currency"} and not value:
            continue
        if name in {"failure_code", "failure_message"} and row.failure_code == DISPUTED:
            continue
        setattr(row, name, value)
    row.provider_updated_at = attempt.at
    row.failed_at = (attempt.failed_at or attempt.at) if attempt.status == PaymentStatus.FAILED else None
    if attempt.status == PaymentStatus.PAID:
        row.paid_at = attempt.paid_at or attempt.at
    if row.status != PaymentStatus.REFUNDED:
        row.status = attempt.status
    row.save()
    announce_payment(row)
    return True


@unit_of_work
def record_after_payment(*, workspace_id: UUID, user_id: UUID | None, told: AfterPayment) -> None:
    """Fills in what no attempt has told yet, and leaves alone what one has."""
    row = _row(workspace_id, user_id, told.provider, told.payment_id, told.invoice_id)
    if told.payer_id:
        row.workspace_id, row.user_id = workspace_id, user_id or row.user_id
    if row.provider_updated_at is None:
        row.currency, row.amount = told.currency or row.currency, told.amount or row.amount
    row.payer_id = row.payer_id or told.payer_id
    row.invoice_id = row.invoice_id or told.invoice_id
    row.paid_at = row.paid_at or told.paid_at
    if row.provider_updated_at is None and row.status != PaymentStatus.REFUNDED:
        row.status = PaymentStatus.PAID
    # The provider tells of all that was given back so far: the most it has told of is the newest.
    row.refunded_amount = max(row.refunded_amount, told.refunded_amount)
    if told.is_refunded:
        row.status = PaymentStatus.REFUNDED
    if told.dispute:
        row.failure_code, row.failure_message = DISPUTED, told.dispute
    row.save()
    announce_payment(row)


def _key(attempt: Attempt) -> tuple[bool, datetime, int, int, str]:
    status = PaymentStatus(attempt.status)
    return status is PaymentStatus.PAID, attempt.at, _RANK[status], attempt.amount, attempt.failure_code


def _stored_key(row: PaymentAttempt) -> tuple[bool, datetime, int, int, str]:
    """What the attempt said when it was stored: money given back later does not hide it."""
    is_paid = row.failed_at is None and row.status != PaymentStatus.PENDING
    status = PaymentStatus.PAID if is_paid else PaymentStatus.FAILED if row.failed_at else PaymentStatus.PENDING
    code = "" if row.failure_code == DISPUTED else row.failure_code
    return is_paid, row.provider_updated_at or LONG_AGO, _RANK[status], row.amount, code


def _row(workspace_id: UUID, user_id: UUID | None, provider: str, payment_id: str, invoice_id: str) -> PaymentAttempt:
    """Locked. A payment that was known by its invoice alone takes the payment's id as soon as that is told."""
    found = _find(provider, payment_id, invoice_id)
    if found is None:
        new = PaymentAttempt(workspace_id=workspace_id, user_id=user_id, provider=provider, payment_id=payment_id)
        PaymentAttempt.objects.bulk_create([new], ignore_conflicts=True)
        found = _locked().get(payment_id=payment_id)
    if found.payment_id == invoice_id != payment_id:
        found.payment_id = payment_id
    return found


def _find(provider: str, payment_id: str, invoice_id: str) -> PaymentAttempt | None:
    exact = _locked().filter(payment_id=payment_id).first()
    if exact is not None or not invoice_id:
        return exact
    of_invoice = _locked().filter(provider=provider, invoice_id=invoice_id)
    if payment_id != invoice_id:
        return of_invoice.filter(payment_id=invoice_id).first()
    return of_invoice.order_by("payment_id").first()


def _locked() -> "QuerySet[PaymentAttempt]":
    return PaymentAttempt.objects.select_for_update(no_key=True)


def visible_to(user: User) -> "QuerySet[PaymentAttempt]":
    return PaymentAttempt.objects.filter(user=user, deleted_at=None)


def forget_attempt(*, user: User, attempt_id: UUID) -> None:
    """Taken off one's own list. What is told of it later does not bring it back."""
    with transaction.atomic():
        if not visible_to(user).filter(pk=attempt_id).update(deleted_at=timezone.now()):
            raise NotFound
