"""Is a request really from Twilio? On the vendor's own library, kept from what it trips over.

It computes; the comparing is done here. Its own comparison ends early, raises on a missing header, on a `str` body
without a hash in the address and on bytes, skips the hash of a body it got as parameters, and loses IPv6 addresses.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit, urlunsplit

from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator, get_signature_algorithm

from webhooks.twilio.form import NotAForm, Parameters, read_broken_form, read_form

SIGNATURE = "x-twilio-signature"
SETTINGS = "x-twilio-webhooks-signature-settings"
BODY_HASH = "bodySHA256"
# Standard base64 of 20 or 32 bytes, and nothing around it.
_DIGESTS = {
    HMAC_SHA1: re.compile(r"[A-Za-z0-9+/]{27}=", re.ASCII),
    HMAC_SHA256: re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII),
}
_DEFAULT_PORTS = {"https": 443, "http": 80}


def is_genuine(
    *,
    url: str,
    body: bytes,
    content_type: str,
    signature: str | None,
    settings: str | None = None,
    auth_tokens: Iterable[str] = (),
    shared_keys: Mapping[str, str] | None = None,
) -> bool:
    """True when the signature is right under one of the secrets, whichever way Twilio wrote the port.

    `settings` is the header of the shared-key mode. `body` is empty for GET, whose parameters are in the address.
    """
    algorithm = get_signature_algorithm(settings).upper()
    shape = _DIGESTS.get(algorithm)
    if not signature or shape is None or not shape.fullmatch(signature):
        return False
    # Which of them fits is no secret; that none does takes the time of all.
    return any(
        hmac.compare_digest(RequestValidator(secret).compute_signature(address, parameters, algorithm), signature)
        for parameters in _signed_parameters(url, body, content_type)
        for address in _addresses(url)
        for secret in _secrets(settings, auth_tokens, shared_keys or {})
    )


def _secrets(settings: str | None, auth_tokens: Iterable[str], shared_keys: Mapping[str, str]) -> list[str]:
    """The shared key that the header names, where we hold it; an empty secret fits nothing, or anybody could sign."""
    named = shared_keys.get(_key_name(settings or ""))
    return [secret for secret in ([named] if named else auth_tokens) if secret]


def _key_name(settings: str) -> str:
    parts = (part.partition("=") for part in settings.split(","))
    return next((value.strip() for name, _, value in parts if name.strip() == "key"), "")


def _signed_parameters(url: str, body: bytes, content_type: str) -> Sequence[Parameters]:
    """What may stand behind the address in what was signed. A body that is no form is not: the address may hash it."""
    alone = Parameters()
    hashes = parse_qs(urlsplit(url).query).get(BODY_HASH)
    if hashes and hmac.compare_digest(hashes[0].lower().encode(), hashlib.sha256(body).hexdigest().encode()):
        return [alone]
    try:
        return [read_form(body, content_type)]
    except NotAForm:
        # With a hash in the address it was the wrong one. Without, only the address could be signed.
        return [] if hashes else [alone, read_broken_form(body)]


@lru_cache(maxsize=256)
def _addresses(url: str) -> list[str]:
    """The address as Twilio may have written it: as it was given first, with the scheme's own port, without any."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return [url]
    host = parts.netloc.removesuffix(f":{port}") if port else parts.netloc
    with_port = f"{host}:{port or _DEFAULT_PORTS.get(parts.scheme, 80)}"
    return list(dict.fromkeys([url, *(urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, with_port))]))
