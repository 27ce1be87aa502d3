"""Standard Webhooks: secrets, and the headers of a signed call."""

import base64
import secrets as random
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

from config.hot import HOPS

SECRET_BYTES = 32
# How long a replaced secret signs beside its successor, so that the receiver can change it at leisure.
OVERLAP = timedelta(hours=24)
MOST_SECRETS = 4
USER_AGENT = "Switchboard-Webhooks/1"


def new_secret() -> str:
    return f"whsec_{base64.b64encode(random.token_bytes(SECRET_BYTES)).decode()}"


def first(secret: str) -> dict[str, Any]:
    """What a subscription keeps: secrets, newest first, and until when each of them signs (null: without end)."""
    return {"secrets": [secret], "until": [None]}


def rotated(kept: dict[str, Any], secret: str, now: datetime) -> dict[str, Any]:
    """An older one that is still on its way out keeps its time."""
    ends = (now + OVERLAP).isoformat()
    living = [(old, until or ends) for old, until in _pairs(kept) if _signs(until, now)]
    pairs = [(secret, None), *living][:MOST_SECRETS]
    return {"secrets": [old for old, _ in pairs], "until": [until for _, until in pairs]}


def signing_secrets(kept: dict[str, Any], now: datetime) -> list[str]:
    return [secret for secret, until in _pairs(kept) if _signs(until, now)]


def headers(*, secrets: list[str], message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The library takes any time for UTC's, so it gets that."""
    at = now.astimezone(UTC)
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        HOPS: "1",
    }


def _pairs(kept: dict[str, Any]) -> list[tuple[str, str | None]]:
    held: list[str] = kept.get("secrets", [])
    until: list[str | None] = kept.get("until", [])
    return list(zip(held, [*until, *([None] * (len(held) - len(until)))], strict=True))


def _signs(until: str | None, now: datetime) -> bool:
    return until is None or datetime.fromisoformat(until) > now
