"""What the outside sees of a contact's profile, of the memory that assistants keep, and of how billing stands."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from crm.models import ContactMemory, ContactProfile


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
    payment_failed_at: datetime | None
    updated_at: datetime


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
