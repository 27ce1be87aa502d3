"""Bearers that the issuer knows nothing of: an app above registers whom it knows by one, for HTTP and sockets alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config.live.identity import Identity


@dataclass(frozen=True, slots=True)
class Guests:
    """`from_bearer` raises NotSignedIn; `reload` answers None for who is nobody any more."""

    prefix: str  # of their tokens
    subject: str  # of their identities, before the colon
    from_bearer: Callable[[str], Identity]
    reload: Callable[[Identity], Identity | None]
    describe: Callable[[Identity], Mapping[str, Any]]


_known: dict[str, Guests] = {}


def register(guests: Guests) -> None:
    """In AppConfig.ready()."""
    _known[guests.prefix] = guests


def of_token(token: str) -> Guests | None:
    return next((guests for prefix, guests in _known.items() if token.startswith(prefix)), None)


def of_identity(identity: Identity) -> Guests | None:
    kind = identity.subject.partition(":")[0]
    return next((guests for guests in _known.values() if guests.subject == kind), None)
