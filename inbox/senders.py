"""What each kind of channel can send: which client speaks for it, what it takes, how fast."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inbox.clients.kapso import KapsoClient
from inbox.clients.outgoing import Client
from inbox.clients.twilio import TwilioClient
from inbox.models import Channel
from inbox.states import ChannelKind
from inbox.windows import is_whatsapp

NOTE_LIMIT = 64 * 1024  # characters
KB, MB = 1024, 1024 * 1024
ATTACHMENTS_AT_MOST = 10  # of one send

SENDING = frozenset({ChannelKind.KAPSO, ChannelKind.TWILIO, ChannelKind.WIDGET})

_AUDIO = frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp3", "audio/mp4", "audio/x-m4a", "audio/ogg"})
_IMAGE = frozenset({"image/jpeg", "image/png"})
_VIDEO = frozenset({"video/mp4", "video/3gpp"})
_STICKER = frozenset({"image/webp"})
CAPTIONED = frozenset({"image", "video", "document"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message to one address may be."""

    body: int  # characters
    caption: int = 0  # characters beside a file
    sizes: Mapping[str, int] = field(default_factory=dict)  # bytes, by kind of file; a kind that is missing is not sent
    types: Mapping[str, frozenset[str]] = field(default_factory=dict)  # a kind that is missing takes any type
    media_per_message: int = 1
    reactions: bool = False
    templates: bool = False
    per_second: float = 1.0


_WHATSAPP_TYPES = {"image": _IMAGE, "video": _VIDEO, "audio": _AUDIO, "sticker": _STICKER}
KAPSO = Limits(
    body=4096,
    caption=1024,
    sizes={"image": 5 * MB, "video": 16 * MB, "audio": 16 * MB, "document": 100 * MB, "sticker": 500 * KB},
    types=_WHATSAPP_TYPES,
    reactions=True,
    templates=True,
    per_second=80.0,
)
TWILIO_WHATSAPP = Limits(
    body=1600,
    caption=1600,
    sizes=dict.fromkeys(("image", "video", "audio", "document", "sticker"), 16 * MB),
    types=_WHATSAPP_TYPES,
    templates=True,
    per_second=80.0,
)
# Twilio keeps a queue per number and sends from it at the number's own pace: this is how fast we fill that queue.
TWILIO_SMS = Limits(
    body=1600,
    caption=1600,
    sizes=dict.fromkeys(("image", "video", "audio", "document", "sticker"), 5 * MB),
    media_per_message=10,
    templates=True,
    per_second=20.0,
)
# Web chat is ours on both ends: what is written is there, and files are taken as they are.
WIDGET = Limits(
    body=4096,
    caption=4096,
    sizes=dict.fromkeys(("image", "video", "audio", "document", "sticker"), 25 * MB),
    media_per_message=10,
)


def has_provider(kind: str) -> bool:
    return kind != ChannelKind.WIDGET


def can_send(kind: str) -> bool:
    return kind in SENDING


def limits_of(kind: str, address: str = "") -> Limits:
    """`address`: the customer's, since one Twilio number speaks SMS and WhatsApp."""
    if kind == ChannelKind.TWILIO:
        return TWILIO_WHATSAPP if is_whatsapp(kind, address) else TWILIO_SMS
    return KAPSO if kind == ChannelKind.KAPSO else WIDGET


def sent_as(limits: Limits, kind: str, content_type: str, size: int) -> str | None:
    """The kind a file goes out as: its own, or a plain document where the channel would refuse it as what it is."""
    for wanted in dict.fromkeys((kind, "document")):
        types = limits.types.get(wanted)
        if size <= limits.sizes.get(wanted, -1) and (types is None or content_type.partition(";")[0].strip() in types):
            return wanted
    return None


def client_for(channel: Channel) -> Client:
    """Reads the channel's credentials."""
    if channel.kind == ChannelKind.TWILIO:
        return TwilioClient.of(channel)
    return KapsoClient.of(channel)


def rate_of(channel: Channel, limits: Limits) -> float:
    """Messages a second: the channel's own `rate`, or what its provider takes; never above `per_minute`."""
    rate = _positive(channel.settings.get("rate")) or limits.per_second
    per_minute = _positive(channel.settings.get("per_minute"))
    return min(rate, per_minute / 60) if per_minute else rate


def _positive(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else 0.0
