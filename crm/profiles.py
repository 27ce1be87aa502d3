"""A contact's profile, the memory that assistants keep of it, and how its billing stands, as the outside sees them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypedDict
from uuid import UUID

from django.db.models import F

from config.live.events import Event, publish
from crm import topics
from crm.access import contact_for
from crm.actors import Actor
from crm.models import PAST_DUE, BillingAccount, ContactMemory, ContactProfile, PaymentAttempt


class ProfilePayload(TypedDict):
    first_name: str
    relationship: str
    zip_code: str
    journey_phase: str
    burnout_score: float | None
    burnout_band: str
    pressure_zones: list[str]
    last_contact_at: datetime | None
    assessment: dict[str, Any]
    updated_at: datetime | None


class StatePayload(TypedDict):
    recent_messages: list[Any]
    historical_summary: str
    conversation_started_at: datetime | None
    total_interactions: int
    last_message_at: datetime | None
    updated_at: datetime | None


class BillingStatePayload(TypedDict):
    """A billing account without the names that Stripe knows it by."""

    id: UUID
    status: str
    past_due: bool
    price_id: str
    quantity: int | None
    trial_ends_at: datetime | None
    period_end: datetime | None
    cancels_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    collection_paused: str  # what becomes of the invoices meanwhile, in Stripe's words; "" while they are collected
    collection_resumes_at: datetime | None
    payment_failed_at: datetime | None
    updated_at: datetime


class PaymentStatePayload(TypedDict):
    """As the timeline tells it, without the names that the provider knows it by."""

    id: UUID
    status: str
    amount: int  # minor units (cents)
    refunded_amount: int
    currency: str
    provider: str
    failure_code: str | None
    failure: str | None


@dataclass(frozen=True)
class ProfileUpdated(Event):
    type: ClassVar[str] = "profile.updated"
    contact: UUID
    profile: ProfilePayload


@dataclass(frozen=True)
class StateUpdated(Event):
    """What assistants changed. The counting of messages is not told: the messages are."""

    type: ClassVar[str] = "state.updated"
    contact: UUID
    state: StatePayload


@dataclass(frozen=True)
class BillingUpdated(Event):
    """One of the contact's accounts at the payment provider, as it stands now."""

    type: ClassVar[str] = "billing.updated"
    contact: UUID
    billing: BillingStatePayload


@dataclass(frozen=True)
class PaymentUpdated(Event):
    """An attempt of the contact to pay, or what became of one later."""

    type: ClassVar[str] = "payment.updated"
    contact: UUID
    payment: PaymentStatePayload


def profile_payload(profile: ContactProfile) -> ProfilePayload:
    score = profile.burnout_score
    return {
        "first_name": profile.first_name,
        "relationship": profile.relationship,
        "zip_code": profile.zip_code,
        "journey_phase": profile.journey_phase,
        "burnout_score": float(score) if score is not None else None,
        "burnout_band": profile.burnout_band,
        "pressure_zones": profile.pressure_zones,
        "last_contact_at": profile.last_contact_at,
        "assessment": profile.assessment,
        "updated_at": profile.updated_at,
    }


def state_payload(memory: ContactMemory) -> StatePayload:
    return {
        "recent_messages": memory.recent_messages,
        "historical_summary": memory.historical_summary,
        "conversation_started_at": memory.conversation_started_at,
        "total_interactions": memory.total_interactions,
        "last_message_at": memory.last_message_at,
        "updated_at": memory.updated_at,
    }


def billing_of(actor: Actor, contact_id: UUID) -> BillingAccount | None:
    """Of several customers that one person is at Stripe, the one with the newest subscription."""
    accounts = BillingAccount.objects.filter(contact=contact_for(actor, contact_id))
    return accounts.order_by(F("subscription_created_at").desc(nulls_last=True), "-id").first()


def billing_state_payload(account: BillingAccount) -> BillingStatePayload:
    return {
        "id": account.pk,
        "status": account.status,
        "past_due": account.status in PAST_DUE,
        "price_id": account.price_id,
        "quantity": account.quantity,
        "trial_ends_at": account.trial_ends_at,
        "period_end": account.period_end,
        "cancels_at": account.cancels_at,
        "canceled_at": account.canceled_at,
        "ended_at": account.ended_at,
        "collection_paused": account.collection_paused,
        "collection_resumes_at": account.collection_resumes_at,
        "payment_failed_at": account.payment_failed_at,
        "updated_at": account.updated_at,
    }


def announce_billing(account: BillingAccount) -> None:
    """Inside the unit of work that changed it. An account of a workspace or of a user is followed by nobody."""
    if account.contact_id is not None:
        publish(topics.contact(account.contact_id), BillingUpdated(account.contact_id, billing_state_payload(account)))


def payment_state_payload(attempt: PaymentAttempt) -> PaymentStatePayload:
    return {
        "id": attempt.pk,
        "status": attempt.status,
        "amount": attempt.amount,
        "refunded_amount": attempt.refunded_amount,
        "currency": attempt.currency,
        "provider": attempt.provider,
        "failure_code": attempt.failure_code or None,
        "failure": attempt.failure_message or None,
    }


def announce_payment(attempt: PaymentAttempt) -> None:
    """To whoever looks at the contact that pays, when one does."""
    if not attempt.payer_id or attempt.deleted_at is not None:
        return
    accounts = BillingAccount.objects.filter(
        workspace_id=attempt.workspace_id, stripe_customer_id=attempt.payer_id, contact__isnull=False
    )
    contact_id = accounts.values_list("contact_id", flat=True).first()
    if contact_id is not None:
        publish(topics.contact(contact_id), PaymentUpdated(contact_id, payment_state_payload(attempt)))
