"""From a delivery's bytes to what it says. Pure: no database, no settings, no clock.

Odd but real shapes never raise; what one item lacks is told in its place and leaves its siblings alone.
"""

from typing import Any

from webhooks.bodies import Unreadable, event_key, load_object
from webhooks.kapso import meta, v2
from webhooks.kapso.items import (
    Deleted,
    Delivery,
    Edited,
    IdentityChanged,
    Inbound,
    Item,
    Other,
    Receipt,
    Sent,
    Turn,
    WhoIs,
)
from webhooks.kapso.words import text

__all__ = [
    "Deleted",
    "Delivery",
    "Edited",
    "IdentityChanged",
    "Inbound",
    "Item",
    "Other",
    "Receipt",
    "Sent",
    "Turn",
    "Unreadable",
    "WhoIs",
    "parse",
    "turn_of",
]

_EVENT_LIMIT = 80  # the journal's column


def parse(body: bytes, *, event: str = "", idempotency_key: str = "") -> Delivery:
    """`event` and `idempotency_key` are header values. The items stand in the order they came, every time."""
    data = load_object(body)
    key = event_key(idempotency_key, body)
    if data.get("object") == meta.OBJECT:
        return Delivery((event or meta.event_of(data))[:_EVENT_LIMIT], key, meta.items_of(data))
    name = _name(data, event)
    return Delivery(name, key, [item for envelope in _envelopes(data) for item in v2.items_of(envelope, name)])


def turn_of(data: dict[str, Any], event: str) -> Turn | None:
    """That of the one item which `parse` will find, at a fraction of its cost: every delivery is asked before it is
    answered. None where there are more or fewer, or where only reading tells."""
    if data.get("object") == meta.OBJECT:
        return meta.turn_of(data)
    envelopes = _envelopes(data)
    return v2.turn_of(envelopes[0], _name(data, event)) if len(envelopes) == 1 else None


def _name(data: dict[str, Any], event: str) -> str:
    return (event or text(data.get("type")) or text(data.get("event")))[:_EVENT_LIMIT]


def _envelopes(data: dict[str, Any]) -> list[Any]:
    """A batch has its items under `data`; a single one is the body itself."""
    inner = data.get("data")
    if "message" in data or not isinstance(inner, list | dict):
        return [data]
    return inner if isinstance(inner, list) else [inner]
