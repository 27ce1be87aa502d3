"""Web Push as browsers want it: the message sealed for one browser (RFC 8291), and who we are (RFC 8292).

The service that carries it learns neither its words nor whom it is for.
"""

import base64
import os
import time
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

CURVE = ec.SECP256R1()
RECORD = 4096
LONGEST = 3000  # bytes of a message: services take 4 KiB with everything around it
HOURS = 12  # that a signature is good for; 24 at most are allowed
POINT, AUTH = 65, 16  # bytes


@dataclass(frozen=True, slots=True)
class Browser:
    """What `PushManager.subscribe` answers."""

    endpoint: str
    point: bytes
    auth: bytes


def browser(subscription: dict[str, Any]) -> Browser:
    """ValueError when no browser can have made it."""
    endpoint, keys = subscription["endpoint"], subscription["keys"]
    if not isinstance(endpoint, str) or not isinstance(keys, dict):
        raise ValueError("endpoint and keys are needed")
    made = Browser(endpoint, decoded(str(keys.get("p256dh", ""))), decoded(str(keys.get("auth", ""))))
    if len(made.auth) != AUTH or len(made.point) != POINT:
        raise ValueError("a key is of the wrong length")
    ec.EllipticCurvePublicKey.from_encoded_point(CURVE, made.point)
    return made


def sealed(message: bytes, to: Browser, *, salt: bytes = b"", key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """`salt` and `key` are new each time; only a test gives them."""
    salt, key = salt or os.urandom(16), key or ec.generate_private_key(CURVE)
    ours = _point(key.public_key())
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, to.point))
    secret = _derived(shared, to.auth, b"WebPush: info\0" + to.point + ours, 32)
    content_key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    body = AESGCM(content_key).encrypt(nonce, message + b"\2", None)
    return salt + RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours + body


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


# --- Who we are -----------------------------------------------------------------------------------------------------


def is_set_up() -> bool:
    return bool(settings.VAPID_PRIVATE_KEY)


@lru_cache(maxsize=4)
def _key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text), "big"), CURVE)


def public_key() -> str:
    """What a browser subscribes with; empty where push is not set up."""
    return encoded(_point(_key(settings.VAPID_PRIVATE_KEY).public_key())) if is_set_up() else ""


def authorization(endpoint: str) -> str:
    """For the service at the endpoint alone."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + HOURS * 3600,
        "sub": f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}",
    }
    return f"vapid t={jwt.encode(claims, _key(settings.VAPID_PRIVATE_KEY), algorithm='ES256')}, k={public_key()}"


def decoded(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
