"""From the bytes of a delivery to what an identity provider says. Pure: no database, no settings, no clock."""

import re

from webhooks.bodies import Unreadable, load_object
from webhooks.fields import fields, identifier, moment, name_or_id
from webhooks.identity import clerk, supabase
from webhooks.identity.items import Event, Item, Other

EVENT_LIMIT = 80  # the journal's column


def read(body: bytes) -> Event:
    """Raises Unreadable for what none of the providers would send."""
    data = load_object(body)
    hook = fields(data.get("metadata"))
    if isinstance(data.get("user"), dict) and hook:
        name = name_or_id(hook.get("name")) or "user"
        return Event(_named(f"hook.{name}"), identifier(hook.get("uuid")) or "", moment(hook.get("time")), data)
    kind = name_or_id(data.get("type"))
    if kind is None:
        raise Unreadable("The event has no type.")
    if "record" in data or "old_record" in data:
        table = name_or_id(data.get("table")) or "unknown"
        return Event(_named(f"{table}.{kind.lower()}"), "", None, data)
    if not isinstance(data.get("data"), dict):
        raise Unreadable("The event carries no data.")
    return Event(_named(kind), "", moment(data.get("timestamp")), data)


def item_of(event: Event) -> Item:
    """Never raises; what cannot be used says why."""
    if "user" in event.content and "metadata" in event.content:
        return supabase.of_hook(event)
    if "record" in event.content or "old_record" in event.content:
        return supabase.of_row(event)
    return clerk.item_of(event)


def lane_of(item: Item) -> str:
    return "" if isinstance(item, Other) else f"in:identity:{item.who}"[:200]


def _named(kind: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "", kind)[:EVENT_LIMIT] or "unknown"
