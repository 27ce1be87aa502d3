"""Verification of Supabase access tokens. Nothing here asks the database; what a token may do is not its to say."""

import json
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from jwt.api_jws import PyJWS

from crm.identity import jwks, trust
from crm.identity.errors import TokenExpired, TokenRefused

LONGEST_TOKEN = 8 * 1024
KNOWN_TOKENS = 512
LEEWAY_SECONDS = 10
AUDIENCE = ROLE = "authenticated"
LEGACY_ALGORITHM = "HS256"
LATEST = 10**11  # seconds; beyond it a number cannot be a time
LONGEST = {"email": 254, "phone": 32, "name": 200, "aal": 10}

JOINERS = "\u200c\u200d"  # invisible, yet part of names in Persian and Hindi

_jws = PyJWS(algorithms=[*jwks.ALGORITHMS.values(), LEGACY_ALGORITHM])


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `email` need not be confirmed, and `name` is the person's own words: for display."""

    sub: UUID
    email: str
    phone: str
    name: str
    session_id: UUID | None
    is_anonymous: bool
    issued_at: float
    expires_at: float
    issuer: str
    aal: str


def verify(token: str, now: float | None = None) -> Claims:
    """TokenRefused or TokenExpired; IssuerUnreachable when the issuer's keys could not be had."""
    if not token or len(token) > LONGEST_TOKEN or not token.isascii():
        raise TokenRefused
    return _claims(_signed_payload(token), time.time() if now is None else now)


def has_key_at_hand(token: str) -> bool:
    """Whether `verify` can tell without asking the issuer for its keys first."""
    try:
        header = _header(token.partition(".")[0])
    except (jwt.PyJWTError, ValueError, RecursionError):
        return True
    kid = header.get("kid")
    return header.get("alg") == LEGACY_ALGORITHM or not isinstance(kid, str) or jwks.is_at_hand(kid)


def _signed_payload(token: str) -> dict[str, Any]:
    try:
        key, algorithm = _key_for(_header(token.partition(".")[0]))
        payload = json.loads(_signed(token, _Key(key), algorithm))
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenRefused from None
    if not isinstance(payload, dict):
        raise TokenRefused
    return payload


# Both say the same of the same however often they are asked, and somebody at work brings one token with every request.
# Whether the key is still trusted and the time is not over is asked each time.
@lru_cache(maxsize=KNOWN_TOKENS)
def _header(part: str) -> dict[str, Any]:
    """By the first part alone, which all tokens of one key share."""
    return _jws.get_unverified_header(f"{part}..")


@lru_cache(maxsize=KNOWN_TOKENS)
def _signed(token: str, key: "_Key", algorithm: str) -> bytes:
    """The algorithm is the key's, never the header's: an RSA key must not be taken for an HMAC secret."""
    found: bytes = _jws.decode(token, key.key, algorithms=[algorithm])
    return found


class _Key:
    """Itself and nothing like it: keys of the library cannot be hashed, and a key that was fetched anew is another."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and (
            self.key is other.key or (isinstance(self.key, str) and self.key == other.key)
        )

    def __hash__(self) -> int:
        return hash(self.key) if isinstance(self.key, str) else id(self.key)


def _key_for(header: dict[str, Any]) -> tuple[Any, str]:
    if header.get("alg") == LEGACY_ALGORITHM:
        secret = trust.legacy_secret()
        if secret is None:
            raise TokenRefused
        return secret, LEGACY_ALGORITHM
    kid = header.get("kid")
    if trust.auth_url() is None or not isinstance(kid, str):
        raise TokenRefused
    key = jwks.find(kid)
    if key is None or header.get("alg") != key.algorithm:
        raise TokenRefused
    return key.key, key.algorithm


def _claims(payload: dict[str, Any], now: float) -> Claims:
    issuer = trust.auth_url()
    # Anon and service keys fail by issuer, audience and subject; `client_id` marks a token given to somebody's app.
    if issuer is None or payload.get("iss") != issuer or not _is_for_us(payload.get("aud")):
        raise TokenRefused
    if payload.get("role") != ROLE or payload.get("client_id"):
        raise TokenRefused
    issued_at, expires_at = _times(payload, now)
    metadata = payload.get("user_metadata")
    named = metadata if isinstance(metadata, dict) else {}
    return Claims(
        sub=_uuid(payload.get("sub")),
        email=_text(payload, "email").lower(),
        phone=_text(payload, "phone"),
        name=_text({"name": named.get("full_name") or named.get("name")}, "name"),
        session_id=_uuid(payload["session_id"]) if payload.get("session_id") else None,
        is_anonymous=payload.get("is_anonymous") is True,
        issued_at=issued_at,
        expires_at=expires_at,
        issuer=issuer,
        aal=_text(payload, "aal"),
    )


def _is_for_us(audience: object) -> bool:
    return audience == AUDIENCE or (isinstance(audience, list) and AUDIENCE in audience)


def _times(payload: dict[str, Any], now: float) -> tuple[float, float]:
    expires_at = _moment(payload.get("exp"))
    issued_at = _moment(payload.get("iat"))
    begins_at = max(issued_at, _moment(payload.get("nbf", issued_at)))
    if begins_at > now + LEEWAY_SECONDS:
        raise TokenRefused
    if expires_at <= now - LEEWAY_SECONDS:
        raise TokenExpired
    return issued_at, expires_at


def _moment(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LATEST:
        raise TokenRefused
    return float(value)


def _uuid(value: object) -> UUID:
    """In its usual spelling only, so that one person has one subject."""
    try:
        found = UUID(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != value:
        raise TokenRefused
    return found


def _text(holder: dict[str, Any], name: str) -> str:
    """Empty when it is none, too long or cannot be kept."""
    value = holder.get(name)
    if not isinstance(value, str) or len(value) > LONGEST[name]:
        return ""
    return "".join(
        character for character in " ".join(value.split()) if character.isprintable() or character in JOINERS
    )
