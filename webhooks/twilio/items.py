"""What a request of Twilio's can say, in our own words. Frozen data only."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Media:
    url: str = field(repr=False)
    content_type: str
    kind: str  # image, audio, video, document, sticker


@dataclass(frozen=True, slots=True)
class Inbound:
    """The person wrote."""

    sid: str
    sender: str  # as received: +1415…, whatsapp:+1415…, a short code or a name
    recipient: str  # our number, as received
    service: str  # the messaging service's id, where one is used
    name: str
    wa_id: str
    bsuid: str
    type: str
    body: str
    reply_to: str
    opt_out: str  # STOP, START, HELP or nothing
    detail: dict[str, Any] = field(repr=False)
    media: tuple[Media, ...] = ()

    @property
    def is_whatsapp(self) -> bool:
        return self.sender.lower().startswith("whatsapp:")

    @property
    def item_key(self) -> str:
        return f"inbound:{self.sid}"

    def lane(self, channel_id: UUID | None) -> str:
        return f"in:{channel_id}:{self.sender}"[:200]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that we sent."""

    sid: str
    status: str  # as Twilio writes it
    recipient: str
    error_code: str = ""
    error_title: str = ""

    @property
    def item_key(self) -> str:
        return f"receipt:{self.sid}:{self.status}"

    def lane(self, channel_id: UUID | None) -> str:
        """Not the one of what they write, which never waits for what becomes of what was sent to them."""
        return f"receipt:{channel_id}:{self.recipient}"[:200]


@dataclass(frozen=True, slots=True)
class Other:
    """Kept and not handled. `kind` names it."""

    kind: str
    reason: str = ""

    def lane(self, channel_id: UUID | None) -> str:
        return ""


Item = Inbound | Receipt | Other
