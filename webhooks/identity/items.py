"""What an identity event can say, in our own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CLERK, SUPABASE = "clerk", "supabase"


@dataclass(frozen=True, slots=True)
class UserKept:
    """Somebody is there, as the provider knows them now."""

    provider: str
    subject: str
    at: datetime | None  # the provider's time of this state
    is_new: bool  # told as "created": of two at the same moment the other one is the later
    email: str  # the primary address, and only once it is verified
    phone: str
    name: str
    is_barred: bool

    @property
    def who(self) -> str:
        return self.subject


@dataclass(frozen=True, slots=True)
class UserGone:
    provider: str
    subject: str
    at: datetime | None

    @property
    def who(self) -> str:
        return self.subject


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to pay. Amounts in minor units."""

    payment_id: str
    payer_id: str
    status: str  # pending, paid or failed
    at: datetime | None
    charge_type: str
    currency: str
    amount: int
    subtotal: int | None
    tax: int | None
    failure_code: str
    failure_message: str
    paid_at: datetime | None
    failed_at: datetime | None
    billed_at: datetime | None

    @property
    def who(self) -> str:
        return self.payer_id or self.payment_id


@dataclass(frozen=True, slots=True)
class Other:
    """Kept and not acted on; `reason` where the kind alone does not explain it."""

    kind: str
    reason: str = ""


Item = UserKept | UserGone | Payment | Other


@dataclass(frozen=True, slots=True)
class Event:
    type: str
    own_id: str  # what stays the same in every delivery of a Supabase hook, whose webhook-id does not
    sent_at: datetime | None
    content: Mapping[str, Any] = field(repr=False)
