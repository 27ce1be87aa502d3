"""The issuer's public keys, kept for ten minutes. A key's type fixes the one algorithm it may verify."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from crm.identity import trust
from crm.identity.errors import IssuerUnreachable
from crm.issuer import keys as own_keys
from jobs import http
from jobs.errors import ProviderError

logger = logging.getLogger(__name__)

KEPT_SECONDS = 600.0
# Between two fetches, whoever asks: made-up key ids must not become a flood of requests to the issuer.
PAUSE_SECONDS = 30.0
# As long as there is no key at all, nobody can be let in.
PAUSE_WITHOUT_KEYS_SECONDS = 3.0
FETCH_SECONDS = 3.0
LARGEST_ANSWER = 64 * 1024
MOST_KEYS = 50
SMALLEST_RSA_BITS = 2048
# (kty, crv) to the algorithm. Symmetric keys are never in a JWKS; one that is there is not taken.
ALGORITHMS = {("EC", "P-256"): "ES256", ("RSA", None): "RS256"}

PublicKey = EllipticCurvePublicKey | RSAPublicKey
Fetch = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class VerifyingKey:
    kid: str
    algorithm: str
    key: PublicKey


class KeyCache:
    """Threads share one. While one of them fetches, the others go on with the keys that are there."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self.flush()

    def flush(self) -> None:
        """For a key that must not be trusted a minute longer: the next look-up fetches."""
        self._keys: dict[str, VerifyingKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._failed = False

    def find(self, kid: str) -> VerifyingKey | None:
        """None for a key that the issuer does not list; IssuerUnreachable when that cannot be said."""
        known = self._keys.get(kid)
        if self.is_at_hand(kid):
            return known
        if known and self._lock.locked():
            return known
        with self._lock:
            if self._may_fetch():
                self._refresh()
            found = self._keys.get(kid)
            if found is None and self._failed:
                raise IssuerUnreachable
            return found

    def is_at_hand(self, kid: str) -> bool:
        return kid in self._keys and self._clock() - self._fetched_at < KEPT_SECONDS

    def _may_fetch(self) -> bool:
        pause = PAUSE_SECONDS if self._keys else PAUSE_WITHOUT_KEYS_SECONDS
        return self._clock() - self._tried_at >= pause

    def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            keys = parse(self._fetch())
        except (ProviderError, ValueError) as error:
            self._failed = True  # what we have stays good
            logger.warning("jwks_not_fetched", extra={"action": "jwks_not_fetched", "reason": str(error)})
            return
        self._keys, self._fetched_at, self._failed = keys, self._tried_at, False


def parse(answer: Mapping[str, Any]) -> dict[str, VerifyingKey]:
    """The keys that we could verify with; others are left out. ValueError for what is no JWKS."""
    listed = answer.get("keys") if isinstance(answer, Mapping) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError("not a list of keys")
    found = filter(None, map(_verifying_key, listed))
    return {key.kid: key for key in found}


def _verifying_key(jwk: object) -> VerifyingKey | None:
    if not isinstance(jwk, dict):
        return None
    kid, kty = jwk.get("kid"), jwk.get("kty")
    algorithm = ALGORITHMS.get((kty, jwk.get("crv") if kty == "EC" else None)) if isinstance(kty, str) else None
    if not isinstance(kid, str) or not kid or algorithm is None or jwk.get("alg", algorithm) != algorithm:
        return None
    if jwk.get("use", "sig") != "sig" or "verify" not in jwk.get("key_ops", ["verify"]):
        return None
    # Only the public half, so that a private key listed by mistake is never held here.
    public = {name: jwk.get(name) for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    try:
        key = jwt.PyJWK(public, algorithm).key
    except jwt.PyJWTError:
        return None
    if isinstance(key, RSAPublicKey):
        return VerifyingKey(kid, algorithm, key) if key.key_size >= SMALLEST_RSA_BITS else None
    return VerifyingKey(kid, algorithm, key) if isinstance(key, EllipticCurvePublicKey) else None


def _fetch_from_supabase() -> Mapping[str, Any]:
    url = f"{trust.auth_url()}/.well-known/jwks.json"
    response = http.request("GET", url, timeout=FETCH_SECONDS, max_bytes=LARGEST_ANSWER)
    if response.status != 200:
        raise ValueError(f"status {response.status}")
    answer: Mapping[str, Any] = response.json()
    return answer


_caches: dict[str, KeyCache] = {}


def cache() -> KeyCache:
    """Of the issuer that is trusted now. Our own keys take the same way, without the network."""
    own = trust.is_own_issuer()
    source = str(settings.VAR_DIR) if own else str(settings.SUPABASE_URL)
    if source not in _caches:
        _caches[source] = KeyCache(own_keys.public_jwks if own else _fetch_from_supabase)
    return _caches[source]


def find(kid: str) -> VerifyingKey | None:
    return cache().find(kid)


def is_at_hand(kid: str) -> bool:
    """Whether `find` answers without asking the issuer."""
    return cache().is_at_hand(kid)


def flush() -> None:
    for kept in _caches.values():
        kept.flush()
