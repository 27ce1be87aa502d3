"""How each provider signs what it posts. Written here once more, so that the product's own check has a counterpart.

Kapso's and Meta's are the product's functions: they are one line each.
"""

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qsl, urldefrag

from webhooks.kapso.signature import KAPSO_HEADER, META_HEADER, kapso_signature, meta_signature

FORM = "application/x-www-form-urlencoded; charset=UTF-8"
JSON_TYPE = "application/json"


def kapso(secret: str, body: bytes) -> dict[str, str]:
    return {KAPSO_HEADER: kapso_signature(secret, body)}


def meta(secret: str, body: bytes) -> dict[str, str]:
    return {META_HEADER: meta_signature(secret, body)}


def twilio(token: str, url: str, body: bytes) -> dict[str, str]:
    """Over the address without its fragment and every parameter, sorted by name; repeated values once, sorted."""
    values: dict[str, set[str]] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        values.setdefault(name, set()).add(value)
    signed = urldefrag(url).url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    digest = hmac.digest(token.encode(), signed.encode(), hashlib.sha1)
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def stripe(secret: str, body: bytes, *, at: float | None = None) -> dict[str, str]:
    """The secret counts as it is written, `whsec_` included."""
    moment = str(int(time.time() if at is None else at))
    digest = hmac.digest(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return {"Stripe-Signature": f"t={moment},v1={digest.hex()}"}


def standard(secret: str, key: str, body: bytes, *, prefix: str = "webhook", at: float | None = None) -> dict[str, str]:
    """Standard Webhooks; Svix has the same under names of its own. The secret is base64 behind `whsec_`."""
    moment = str(int(time.time() if at is None else at))
    signed = f"{key}.{moment}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
    return {
        f"{prefix}-id": key,
        f"{prefix}-timestamp": moment,
        f"{prefix}-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
