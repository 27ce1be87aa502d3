"""Visitors' tokens: signed by us, so that a forged one costs no query, and kept as a digest, so that one can be taken
back. The same on HTTP and on sockets."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.utils import timezone

from config.errors import NotSignedIn
from config.live.identity import Identity
from crm.actors import Visitor as VisitorActor
from crm.identity.guests import Guests, register
from crm.identity.requests import bearer
from inbox.models import Visitor
from jobs.compiled import Compiled

PREFIX = "vis_"
SUBJECT = "visitor"
LONGEST = 200
_signer = Signer(salt="inbox.visitor", sep=".")
_GOOD = Compiled(
    lambda visitor_id, now: (
        Visitor.objects.select_related("contact")
        .defer("contact__metadata", "contact__attributes", "contact__search")
        # Of a user only as long as they are one; whoever is none has nothing to be deactivated
        .filter(pk=visitor_id, revoked_at=None, expires_at__gt=now, user__deactivated_at=None)
    ),
    UUID,
    datetime,
)


def new_token(visitor_id: UUID) -> tuple[str, bytes]:
    """The token, and the digest by which it is known again."""
    secret = secrets.token_urlsafe(32)
    return PREFIX + _signer.sign(f"{visitor_id.hex}.{secret}"), _digest(secret)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def visitor_of(token: str) -> Visitor:
    """NotSignedIn for one that we did not sign, that was taken back or has run out."""
    try:
        visitor_id, secret = _signer.unsign(token[:LONGEST].removeprefix(PREFIX)).split(".")
        found = _good(UUID(visitor_id), _digest(secret))
    except (BadSignature, ValueError):
        raise NotSignedIn from None
    if found is None:
        raise NotSignedIn
    return found


def _good(visitor_id: UUID, digest: bytes) -> Visitor | None:
    found = _GOOD.first(visitor_id, timezone.now())
    return found if found is not None and hmac.compare_digest(bytes(found.digest), digest) else None


def actor_of(visitor: Visitor) -> VisitorActor:
    return VisitorActor(visitor.pk, visitor.workspace_id, visitor.channel_id)


def visitor_behind(request: Any) -> Visitor | None:
    """None for a request that carries no visitor's token."""
    token = bearer(request)
    return visitor_of(token) if token is not None and token.startswith(PREFIX) else None


# --- On sockets -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AtDoor(Identity):
    name: str = ""
    digest: bytes = field(default=b"", repr=False)  # a socket ends with the token it was opened with


def subject_of(visitor_id: UUID) -> str:
    return f"{SUBJECT}:{visitor_id}"


def _from_bearer(token: str) -> AtDoor:
    return _identity(visitor_of(token))


def _reload(identity: Identity) -> AtDoor | None:
    digest = identity.digest if isinstance(identity, AtDoor) else b""
    found = _good(identity.actor.visitor_id, digest)
    return None if found is None else _identity(found)


def _describe(identity: Identity) -> Mapping[str, Any]:
    name = identity.name if isinstance(identity, AtDoor) else ""
    return {"user": {"id": str(identity.actor.visitor_id), "name": name}}


def _identity(visitor: Visitor) -> AtDoor:
    return AtDoor(
        user_id=None,
        subject=subject_of(visitor.pk),
        expires_at=visitor.expires_at.timestamp(),
        actor=actor_of(visitor),
        name=visitor.contact.display_name if visitor.contact else visitor.name,
        digest=bytes(visitor.digest),
    )


def register_guests() -> None:
    register(Guests(PREFIX, SUBJECT, _from_bearer, _reload, _describe))
