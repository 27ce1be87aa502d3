"""What Stripe's objects say, in the words of billing. Tolerant of versions: fields moved about in 2025. Pure."""

from datetime import datetime
from typing import Any

from crm.services.billing import STRIPE, Names, Subscription
from crm.services.payments import AfterPayment, Attempt
from webhooks.fields import Fields, fields, identifier, moment, name_or_id, objects
from webhooks.identity.clerk import minor

STATUSES = frozenset(
    ("incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused")
)
MOST_SEATS = 2**31 - 1
TYPE_LIMIT, MESSAGE_LIMIT, PAUSED_LIMIT = 40, 300, 30
PAUSED = "paused"  # where the payload does not say what becomes of the invoices
_WORKSPACE_KEYS = ("workspace", "workspace_slug", "workspace_id", "tenant_id", "tenant")


def id_of(value: Any) -> str:
    """An id, or the id of the object that stands in its place when it was asked to be expanded."""
    return identifier(fields(value).get("id") if isinstance(value, dict) else value) or ""


def customer_of(thing: Fields) -> str:
    return id_of(thing) if thing.get("object") == "customer" else id_of(thing.get("customer"))


def lane_of(thing: Fields) -> str:
    return f"in:stripe:{customer_of(thing) or id_of(thing)}"[:200]


def names_of(thing: Fields) -> Names:
    """What the metadata of the object names, or of the subscription that an invoice is for.

    Never `client_reference_id`: the address of a payment link takes it from whoever opens it.
    """
    inner = fields(fields(thing.get("parent")).get("subscription_details")) or fields(thing.get("subscription_details"))
    found = {**fields(inner.get("metadata")), **fields(thing.get("metadata"))}
    return Names(
        workspace=next((word for key in _WORKSPACE_KEYS if (word := name_or_id(found.get(key)))), "")[:255],
        contact_id=name_or_id(found.get("contact_id")) or "",
        user_id=name_or_id(found.get("user_id")) or "",
    )


def subscription_of(thing: Fields, *, at: datetime, is_over: bool = False) -> Subscription | None:
    """None when it has no id, or a status that is not known here. `is_over`: told as deleted, which is its end."""
    found, status = identifier(thing.get("id")), name_or_id(thing.get("status"))
    if found is None or (status not in STATUSES and not is_over):
        return None
    items = list(objects(fields(thing.get("items")).get("data")))
    ends = [end for item in items if (end := moment(item.get("current_period_end")))]
    period_end = min(ends) if ends else moment(thing.get("current_period_end"))
    over = is_over or status == "canceled"
    first: Fields = items[0] if items else {}
    paused = fields(thing.get("pause_collection"))
    return Subscription(
        id=found,
        created=moment(thing.get("created")) or moment(thing.get("start_date")),
        status="canceled" if is_over else str(status),
        price_id=id_of(first.get("price")) or id_of(first.get("plan")) or id_of(thing.get("plan")),
        quantity=_seats(first.get("quantity", thing.get("quantity"))),
        period_end=period_end,
        trial_ends_at=moment(thing.get("trial_end")),
        cancels_at=None if over else _cancels_at(thing, period_end),
        canceled_at=moment(thing.get("canceled_at")) or (at if over else None),
        ended_at=moment(thing.get("ended_at")) or (at if over else None),
        collection_paused=(name_or_id(paused.get("behavior")) or PAUSED)[:PAUSED_LIMIT] if paused else "",
        collection_resumes_at=moment(paused.get("resumes_at")),
    )


def _cancels_at(thing: Fields, period_end: datetime | None) -> datetime | None:
    """Classic billing says so by a flag, flexible billing by a time; the flag's time is the end of the period."""
    return moment(thing.get("cancel_at")) or (period_end if thing.get("cancel_at_period_end") is True else None)


def _seats(value: Any) -> int | None:
    found = minor(value)
    return found if found is not None and 0 <= found <= MOST_SEATS else None


def subscription_id_of(thing: Fields) -> str:
    """Of a checkout, or of an invoice in either of its forms."""
    details = fields(fields(thing.get("parent")).get("subscription_details"))
    return id_of(thing.get("subscription")) or id_of(details.get("subscription"))


def invoice_attempt(invoice: Fields, *, status: str, at: datetime, failure: str = "") -> Attempt | None:
    """None when there is nothing to pay, as during a trial."""
    invoice_id = identifier(invoice.get("id"))
    due, paid, total = (minor(invoice.get(name)) for name in ("amount_due", "amount_paid", "total"))
    amount = (paid if status == "paid" else due) if (paid if status == "paid" else due) is not None else total
    if invoice_id is None or (amount == 0 and not due):
        return None
    error = fields(invoice.get("last_finalization_error"))
    times = fields(invoice.get("status_transitions"))
    return Attempt(
        payment_id=payment_intent_of(invoice) or invoice_id,
        provider=STRIPE,
        status=status,
        at=at,
        payer_id=customer_of(invoice),
        invoice_id=invoice_id,
        charge_type=(name_or_id(invoice.get("billing_reason")) or "")[:TYPE_LIMIT],
        currency=_currency(invoice),
        amount=amount or 0,
        subtotal=minor(invoice.get("subtotal")),
        tax=_tax(invoice),
        failure_code=(name_or_id(error.get("code")) or failure)[:100] if failure else "",
        failure_message=(name_or_id(error.get("message")) or "")[:MESSAGE_LIMIT] if failure else "",
        paid_at=(moment(times.get("paid_at")) or at) if status == "paid" else None,
        failed_at=at if status == "failed" else None,
        billed_at=moment(invoice.get("created")),
    )


def payment_intent_of(invoice: Fields) -> str:
    """Where the version of the payload, or a list that was asked for, names it."""
    if named := id_of(invoice.get("payment_intent")):
        return named
    payments = objects(fields(invoice.get("payments")).get("data"))
    found = [id_of(fields(payment.get("payment")).get("payment_intent")) for payment in payments]
    return min(filter(None, found), default="")


def _tax(invoice: Fields) -> int | None:
    if (found := minor(invoice.get("tax"))) is not None:
        return found
    taxes = invoice.get("total_taxes")
    return sum(minor(tax.get("amount")) or 0 for tax in objects(taxes)) if isinstance(taxes, list) else None


def checkout_attempt(session: Fields, *, status: str, at: datetime) -> Attempt | None:
    """Of a checkout that is one payment. One that begins a subscription is told of by its invoice."""
    session_id = identifier(session.get("id"))
    if session.get("mode") != "payment" or session_id is None:
        return None
    return Attempt(
        payment_id=id_of(session.get("payment_intent")) or session_id,
        provider=STRIPE,
        status=status,
        at=at,
        payer_id=customer_of(session),
        invoice_id=id_of(session.get("invoice")),
        charge_type="checkout",
        currency=_currency(session),
        amount=minor(session.get("amount_total")) or 0,
        subtotal=minor(session.get("amount_subtotal")),
        tax=minor(fields(session.get("total_details")).get("amount_tax")),
        failure_code="payment_failed" if status == "failed" else "",
        paid_at=at if status == "paid" else None,
        failed_at=at if status == "failed" else None,
        billed_at=moment(session.get("created")),
    )


def refund(charge: Fields) -> AfterPayment | None:
    return _after(charge, id_of(charge.get("payment_intent")) or (identifier(charge.get("id")) or ""), charge)


def dispute(thing: Fields) -> AfterPayment | None:
    charge = fields(thing.get("charge"))
    payment_id = id_of(thing.get("payment_intent")) or id_of(charge.get("payment_intent")) or id_of(thing.get("charge"))
    return _after(thing, payment_id, charge, dispute=name_or_id(thing.get("reason")) or "general")


def _after(thing: Fields, payment_id: str, charge: Fields, dispute: str = "") -> AfterPayment | None:
    if not payment_id:
        return None
    return AfterPayment(
        payment_id=payment_id,
        provider=STRIPE,
        payer_id=customer_of(charge),
        invoice_id=id_of(charge.get("invoice")),
        currency=_currency(thing),
        amount=minor(thing.get("amount")) or 0,
        paid_at=moment(charge.get("created")),
        refunded_amount=0 if dispute else minor(thing.get("amount_refunded")) or 0,
        is_refunded=not dispute and charge.get("refunded") is True,
        dispute=dispute[:MESSAGE_LIMIT],
    )


def _currency(thing: Fields) -> str:
    return (name_or_id(thing.get("currency")) or "").upper()[:3]
