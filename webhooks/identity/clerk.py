"""Clerk's events: users, and the attempts of its billing to charge them. Times are milliseconds."""

import re
from typing import Any

from webhooks.fields import NAME_LIMIT, Fields, fields, identifier, moment, name_or_id, objects
from webhooks.identity.items import CLERK, Event, Item, Other, Payment, UserGone, UserKept

STATUSES = ("pending", "paid", "failed")
EMAIL_LIMIT, PHONE_LIMIT, CODE_LIMIT, MESSAGE_LIMIT, TYPE_LIMIT = 254, 32, 100, 300, 40
LARGEST = 2**63 - 1  # what the column takes


def item_of(event: Event) -> Item:
    data = fields(event.content.get("data"))
    # Documents and payloads spell some kinds in two ways: paymentAttempt.created, payment_attempt.created.
    match re.sub(r"[._-]", "", event.type).lower():
        case "usercreated" | "userupdated" as kind:
            return _user(event, data, is_new=kind == "usercreated")
        case "userdeleted":
            return _gone(event, data)
        case "paymentattemptcreated" | "paymentattemptupdated":
            return _payment(event, data)
    return Other(event.type)


def _user(event: Event, data: Fields, *, is_new: bool) -> Item:
    subject = identifier(data.get("id"))
    if subject is None:
        return Other(event.type, "The user has no id.")
    names = (name_or_id(data.get(part)) for part in ("first_name", "last_name"))
    return UserKept(
        provider=CLERK,
        subject=subject,
        at=moment(data.get("updated_at")) or event.sent_at,
        is_new=is_new,
        email=_verified(data, "email_addresses", "primary_email_address_id", "email_address", EMAIL_LIMIT),
        phone=_verified(data, "phone_numbers", "primary_phone_number_id", "phone_number", PHONE_LIMIT),
        name=" ".join(name for name in names if name)[:NAME_LIMIT] or (name_or_id(data.get("username")) or ""),
        is_barred=data.get("banned") is True,
    )


def _verified(data: Fields, many: str, primary: str, value: str, limit: int) -> str:
    """The primary one, if it is verified: anybody may type an address that is somebody else's."""
    wanted = identifier(data.get(primary))
    for entry in objects(data.get(many)):
        if wanted and identifier(entry.get("id")) == wanted:
            status = fields(entry.get("verification")).get("status")
            found = name_or_id(entry.get(value)) or ""
            return found if status == "verified" and len(found) <= limit else ""
    return ""


def _gone(event: Event, data: Fields) -> Item:
    subject = identifier(data.get("id"))
    if subject is None:
        return Other(event.type, "The deleted user has no id.")
    return UserGone(provider=CLERK, subject=subject, at=event.sent_at)


def _payment(event: Event, data: Fields) -> Item:
    payment_id = identifier(data.get("payment_id")) or identifier(data.get("id"))
    if payment_id is None:
        return Other(event.type, "The payment attempt has no id.")
    status = data.get("status")
    if status not in STATUSES:
        return Other(event.type, "The payment attempt has no status that is known here.")
    payer, totals, reason = fields(data.get("payer")), fields(data.get("totals")), fields(data.get("failed_reason"))
    grand = fields(totals.get("grand_total"))
    return Payment(
        payment_id=payment_id,
        payer_id=identifier(payer.get("user_id")) or identifier(payer.get("organization_id")) or "",
        status=str(status),
        at=moment(data.get("updated_at")) or event.sent_at,
        charge_type=(name_or_id(data.get("charge_type")) or "")[:TYPE_LIMIT],
        currency=(name_or_id(grand.get("currency")) or "").upper()[:3],
        amount=minor(grand.get("amount")) or 0,
        subtotal=minor(fields(totals.get("subtotal")).get("amount")),
        tax=minor(fields(totals.get("tax_total")).get("amount")),
        failure_code=(name_or_id(reason.get("code")) or "")[:CODE_LIMIT],
        failure_message=(name_or_id(reason.get("decline_code")) or "")[:MESSAGE_LIMIT],
        paid_at=moment(data.get("paid_at")),
        failed_at=moment(data.get("failed_at")),
        billed_at=moment(data.get("billing_date")),
    )


def minor(value: Any) -> int | None:
    """An amount in minor units, or None for anything but a whole number that the column takes."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST else None
