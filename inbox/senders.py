"""Which channel kinds can send, and how long a message each takes. A channel's client registers what it does here."""

from inbox.states import ChannelKind

# Longest text in characters, as the provider documents it.
BODY_LIMITS: dict[str, int] = {ChannelKind.KAPSO: 4096, ChannelKind.TWILIO: 1600, ChannelKind.WIDGET: 4096}
NOTE_LIMIT = 64 * 1024
SENDING = frozenset({ChannelKind.KAPSO})


def can_send(kind: str) -> bool:
    return kind in SENDING
