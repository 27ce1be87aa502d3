"""Is a delivery really from Kapso or Meta? Plain functions over header values and the raw body, for every road alike.

No Django and no I/O here. The bytes that arrived are what is signed: parsed and serialised again they never match.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

KAPSO_HEADER = "X-Webhook-Signature"
META_HEADER = "X-Hub-Signature-256"
_META_PREFIX = "sha256="
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What may be echoed to a stranger who knows the token; Meta sends a number.
_CHALLENGE = re.compile(r"[\w.~-]{1,256}", re.ASCII)


def kapso_signature(secret: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), body, hashlib.sha256).hex()


def meta_signature(secret: str, body: bytes) -> str:
    return _META_PREFIX + kapso_signature(secret, body)


def is_genuine(*, kapso: str | None, meta: str | None, body: bytes, secrets: Iterable[str]) -> bool:
    """True when one of the two header values is right under one of the secrets (several while they are rotated).

    Takes the same time whichever secret fits. An empty secret fits nothing, or anybody could sign with it.
    """
    claims = [claim for claim in (_kapso_digest(kapso), _meta_digest(meta)) if claim]
    if not claims:
        return False
    genuine = False
    for secret in secrets:
        if secret:
            digest = kapso_signature(secret, body)
            for claim in claims:
                genuine |= hmac.compare_digest(claim, digest)
    return genuine


def is_genuine_delivery(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> bool:
    """The same over headers by name, in any case."""
    by_name = {name.lower(): value for name, value in headers.items()}
    return is_genuine(
        kapso=by_name.get(KAPSO_HEADER.lower()), meta=by_name.get(META_HEADER.lower()), body=body, secrets=secrets
    )


def challenge(query: Mapping[str, str], tokens: Iterable[str]) -> str | None:
    """Meta's check of a new address: the text to answer with (as text/plain), or None when it must be refused."""
    token, answer = query.get("hub.verify_token") or "", query.get("hub.challenge") or ""
    if query.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(answer):
        return None
    known = False
    for ours in tokens:
        known |= bool(ours) and hmac.compare_digest(token.encode(errors="replace"), ours.encode())
    return answer if known else None


def _kapso_digest(value: str | None) -> str | None:
    return value if value and _HEX_DIGEST.fullmatch(value) else None


def _meta_digest(value: str | None) -> str | None:
    return _kapso_digest(value[len(_META_PREFIX) :]) if value and value.startswith(_META_PREFIX) else None
