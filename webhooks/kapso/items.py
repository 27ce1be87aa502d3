"""What a delivery can say, in our own words. Frozen data only; payload.py makes it, nothing here reads JSON."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson


@dataclass(frozen=True, slots=True)
class WhoIs:
    """The person at the other end. WhatsApp users may have no number, then `bsuid` (business-scoped user id) is all."""

    phone: str | None = None  # E.164
    wa_id: str | None = None  # digits as received: what a reply goes to, never a repaired form
    bsuid: str | None = None
    username: str | None = None
    name: str | None = None

    @property
    def key(self) -> str:
        return self.bsuid or self.wa_id or (self.phone or "").lstrip("+")


class Turn(NamedTuple):
    """What keeps its order: what one person writes, and apart from it what becomes of what was sent to them."""

    way: str  # IN or RECEIPT
    peer: str

    def lane(self, channel_id: UUID | None) -> str:
        return f"{self.way}:{channel_id}:{self.peer}"[:200]


IN, RECEIPT = "in", "receipt"


@dataclass(frozen=True, slots=True)
class Inbound:
    """The person wrote."""

    provider_id: str
    at: datetime | None  # the provider's clock; None when it was missing or absurd
    sender: WhoIs
    type: str
    body: str
    reply_to: str | None
    phone_number_id: str | None
    origin: str  # cloud_api, or history_sync (a back-fill: nobody is to be notified)
    detail: Mapping[str, Any] = field(repr=False)  # the message as it came

    @property
    def item_key(self) -> str:
        return f"inbound:{self.provider_id}"

    @property
    def peer_key(self) -> str:
        return self.sender.key


@dataclass(frozen=True, slots=True)
class Edited:
    """A message got other words. With `type` and `body` None nobody tells which."""

    provider_id: str  # of the news itself
    target: str  # the message's id
    at: datetime | None
    person: WhoIs
    type: str | None
    body: str | None
    phone_number_id: str | None
    origin: str
    by_us: bool  # staff did it on the phone app
    detail: Mapping[str, Any] = field(repr=False)  # the message as it is now

    @property
    def item_key(self) -> str:
        return f"edited:{self.target}:{self.provider_id}"

    @property
    def peer_key(self) -> str:
        return self.person.key


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was taken back."""

    provider_id: str
    target: str
    at: datetime | None
    person: WhoIs
    phone_number_id: str | None
    by_us: bool

    @property
    def item_key(self) -> str:
        return f"deleted:{self.target}:{self.provider_id}"

    @property
    def peer_key(self) -> str:
        return self.person.key


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """Somebody goes by another number or user id from now on."""

    old: WhoIs
    new: WhoIs
    phone_number_id: str | None
    digest: str

    @property
    def item_key(self) -> str:
        return f"identity:{self.digest}"

    @property
    def peer_key(self) -> str:
        return self.old.key


@dataclass(frozen=True, slots=True)
class Sent:
    """A message went out that we may never have sent: staff typed it on the phone, or it is history."""

    provider_id: str
    at: datetime | None
    recipient: WhoIs
    type: str
    body: str
    reply_to: str | None
    phone_number_id: str | None
    origin: str  # business_app or history_sync
    callback_data: str | None
    detail: Mapping[str, Any] = field(repr=False)

    @property
    def item_key(self) -> str:
        return f"sent:{self.provider_id}"

    @property
    def peer_key(self) -> str:
        return self.recipient.key


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that went out."""

    provider_id: str
    status: str  # sent, delivered, read or failed
    at: datetime | None
    recipient: WhoIs
    phone_number_id: str | None
    callback_data: str | None  # our own id of the message, when the provider echoes it
    body: str = ""  # the text it is about, where the provider repeats it
    error_code: str = ""
    error_title: str = ""
    error_details: str = ""

    @property
    def item_key(self) -> str:
        return f"receipt:{self.provider_id}:{self.status}"

    @property
    def peer_key(self) -> str:
        return self.recipient.key


@dataclass(frozen=True, slots=True)
class Other:
    """Kept and not handled. `kind` names it; `reason` is a sentence where the kind alone does not explain it."""

    kind: str
    raw: Any = field(repr=False)
    reason: str = ""
    phone_number_id: str | None = None
    peer_key: str = ""

    @property
    def item_key(self) -> str:
        return f"other:{self.kind}:{digest(self.raw)}"


Item = Inbound | Edited | Deleted | IdentityChanged | Sent | Receipt | Other


def digest(raw: Any) -> str:
    """The same for the same content, however it was written."""
    return hashlib.sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Delivery:
    event: str
    event_key: str  # what makes this delivery unique: the provider's idempotency key, else the body's digest
    items: list[Item]
