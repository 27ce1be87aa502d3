"""Is a delivery really from Stripe? The library's own check, with its traps guarded."""

import hmac
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stripe import WebhookSignature

HEADER = "stripe-signature"
TOLERANCE_SECONDS = 300  # of age; a time in the future passes, as in Stripe's own libraries


@cache
def verifier() -> "type[WebhookSignature]":
    """The library takes half a second to import, so it is imported after the start: see `warm` in road.py."""
    from stripe import WebhookSignature

    class RawSignature(WebhookSignature):
        """Over the bytes as they came. The library signs text, and would raise on a body that is not UTF-8."""

        @staticmethod
        def _compute_signature(payload: str, secret: str) -> str:
            return hmac.new(secret.encode(), payload.encode("utf-8", "surrogateescape"), sha256).hexdigest()

    return RawSignature


def is_genuine(*, header: str, body: bytes, secrets: Iterable[str]) -> bool:
    """Several secrets while one is rolled: any will do. The whole secret is the key, `whsec_` included."""
    if not header.isascii():  # or the library's comparison raises
        return False
    payload = body.decode("utf-8", "surrogateescape")
    genuine = False
    for secret in secrets:
        genuine |= _fits(payload, header, secret)
    return genuine


def _fits(payload: str, header: str, secret: str) -> bool:
    from stripe import SignatureVerificationError

    try:
        return bool(secret) and verifier().verify_header(payload, header, secret, TOLERANCE_SECONDS)
    except SignatureVerificationError:
        return False
