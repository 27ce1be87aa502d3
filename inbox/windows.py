"""WhatsApp's 24-hour window: free text may be sent until a day after the customer last wrote."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from inbox.states import ChannelKind

WINDOW = timedelta(hours=24)
WHATSAPP = "whatsapp:"  # before the addresses of WhatsApp at Twilio, where SMS has none


@dataclass(frozen=True, slots=True)
class Window:
    open: bool
    closes_at: datetime | None


def is_whatsapp(kind: str, address: str) -> bool:
    return kind == ChannelKind.KAPSO or (kind == ChannelKind.TWILIO and address.startswith(WHATSAPP))


def window_for(kind: str, address: str, last_inbound_at: datetime | None) -> Window:
    """`address`: the customer's. Only WhatsApp has a window."""
    if not is_whatsapp(kind, address):
        return Window(open=True, closes_at=None)
    if last_inbound_at is None:
        return Window(open=False, closes_at=None)
    closes_at = last_inbound_at + WINDOW
    return Window(open=closes_at > timezone.now(), closes_at=closes_at)
