"""Deliveries that a back-fill made from a provider's list: read like any other, and put where they belong in time."""

from dataclasses import dataclass
from datetime import datetime

from webhooks.models import Delivery

EVENT = "backfill"
# Among the headers of such a delivery: its place in time, and whether it is old news.
PLACE, AGE = "backfill-at", "backfill"
NEWS, HISTORY = "news", "history"


@dataclass(frozen=True, slots=True)
class Lateness:
    place_at: datetime | None  # None: it came as it happened
    is_history: bool


def lateness(delivery: Delivery) -> Lateness:
    at = delivery.headers.get(PLACE)
    return Lateness(
        place_at=datetime.fromisoformat(at) if at else None,
        is_history=delivery.headers.get(AGE) == HISTORY,
    )


def headers(place_at: datetime, *, is_history: bool) -> dict[str, str]:
    return {PLACE: place_at.isoformat(), AGE: HISTORY if is_history else NEWS}
