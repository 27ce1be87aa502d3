"""Who told which of our senders to stop. Reads alone; providers enforce it as well, and always have the last word."""

from django.db.models import F, Q

from inbox.models import Channel, Conversation, OptOut
from inbox.windows import WHATSAPP


def senders_of(channel: Channel) -> list[str]:
    """Every name under which this channel writes: customers stop a sender, not an account."""
    service = str(channel.settings.get("messaging_service_sid") or "")
    return [name for name in (channel.phone, f"{WHATSAPP}{channel.phone}", service, channel.identifier) if name]


def is_opted_out(conversation: Conversation) -> bool:
    """Reads `channel`: select it with the conversation."""
    address = conversation.peer_address
    if not address:
        return False
    return OptOut.objects.filter(
        Q(opted_in_at=None) | Q(opted_in_at__lt=F("opted_out_at")),
        channel_id=conversation.channel_id,
        sender__in=senders_of(conversation.channel),
        address__in=_spellings(address),
        opted_out_at__isnull=False,
    ).exists()


def _spellings(address: str) -> list[str]:
    """With its plus and without: what a STOP came from and what a reply goes to need not be written alike."""
    prefix = WHATSAPP if address.startswith(WHATSAPP) else ""
    bare = address.removeprefix(WHATSAPP).lstrip("+")
    return [f"{prefix}{bare}", f"{prefix}+{bare}"]


def sender_to(channel: Channel, address: str) -> str:
    """The one of our names under which this address is written to."""
    service = str(channel.settings.get("messaging_service_sid") or "")
    if address.startswith(WHATSAPP):
        return f"{WHATSAPP}{channel.phone}"
    return service or channel.phone
