"""From the bytes of a delivery to Stripe's event. Pure: no database, no settings, no clock."""

from dataclasses import dataclass, field
from datetime import datetime

from webhooks.bodies import Unreadable, load_object
from webhooks.fields import Fields, fields, identifier, moment, name_or_id

EVENT_LIMIT = 80  # the journal's column
THIN = "v2.core.event"


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    type: str
    created: datetime | None
    is_thin: bool  # it names an object without showing it
    object: Fields | None = field(repr=False)


def read(body: bytes) -> Event:
    """Raises Unreadable for what Stripe would not send."""
    data = load_object(body)
    event_id, kind = identifier(data.get("id")), name_or_id(data.get("type"))
    if event_id is None or not event_id.isprintable():
        raise Unreadable("The event has no id.")
    if kind is None or not kind.isprintable():
        raise Unreadable("The event has no type.")
    content = fields(data.get("data")).get("object")
    return Event(
        id=event_id,
        type=kind[:EVENT_LIMIT],
        created=moment(data.get("created")),
        is_thin=data.get("object") == THIN,
        object=content if isinstance(content, dict) else None,
    )
