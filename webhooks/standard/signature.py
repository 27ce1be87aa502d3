"""Is a delivery signed as Standard Webhooks say? The library's own check, with its traps guarded."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError, hmac_data

FAMILIES = ("svix", "webhook")  # the first that is complete counts
PARTS = ("id", "timestamp", "signature")
# What the library can take apart: anything else in the list (another version, rubbish) is skipped, never raised about.
_ENTRY = re.compile(r"v1,[A-Za-z0-9+/]+={0,2}", re.ASCII)
# Supabase's Auth server joins several by a comma and a space.
_BETWEEN = re.compile(r",? +")


@dataclass(frozen=True, slots=True)
class Signed:
    id: str
    timestamp: str
    signature: str


def signed(headers: Mapping[str, str]) -> Signed | None:
    """The three headers under either name; None when one is missing. Names in lower case."""
    for family in FAMILIES:
        values = [headers.get(f"{family}-{part}", "") for part in PARTS]
        if all(values):
            return Signed(*values)
    return None


class _Raw(Webhook):
    """Over the bytes as they came. The library signs text, and would raise on a body that is not UTF-8."""

    def sign(self, msg_id: str, timestamp: datetime, data: str) -> str:
        when = floor(timestamp.replace(tzinfo=UTC).timestamp())
        digest = hmac_data(self._whsecret, f"{msg_id}.{when}.{data}".encode("utf-8", "surrogateescape"))
        return f"v1,{base64.b64encode(digest).decode()}"


def is_genuine(given: Signed, body: bytes, secrets: Iterable[str]) -> bool:
    """Within five minutes of our clock both ways. Several secrets while one is rotated: any will do."""
    entries = [entry for entry in _BETWEEN.split(given.signature) if _ENTRY.fullmatch(entry)]
    headers = {
        "webhook-id": given.id,
        "webhook-timestamp": given.timestamp,
        "webhook-signature": " ".join(entries),
    }
    payload = body.decode("utf-8", "surrogateescape")
    genuine = False
    for secret in secrets:
        genuine |= _fits(secret, payload, headers)
    return genuine


def _fits(secret: str, payload: str, headers: dict[str, str]) -> bool:
    try:
        _Raw(secret).verify(payload, headers, json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError, binascii.Error):
        return False
    return True
