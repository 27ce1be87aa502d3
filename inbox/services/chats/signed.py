"""Who a browser's user is, in somebody's word that counts: the site's own, or the identity provider's."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from config.errors import DomainError, NotSignedIn, TooMany
from crm.identity import people, tokens
from crm.identity.throttle import count_up
from crm.models import IdentityKind
from inbox.models import Channel

# A site signs anew with every page it serves: whoever copies a signature has it for no longer than this.
LONGEST_SECONDS = 86_400
LEEWAY_SECONDS = 30


class IdentityRefused(DomainError):
    code = "identity_refused"
    status = 401
    message = "The site's word for who this is cannot be taken."


@dataclass(frozen=True, slots=True)
class Signed:
    id: str  # by which the browser knows the same person again
    key: tuple[IdentityKind, str]  # by which their contact is known
    name: str = ""
    email: str = ""
    is_email_vouched: bool = False  # good enough to find the contact by
    user_id: UUID | None = None


def read_identity(channel: Channel, token: str) -> Signed:
    """A JWT of the site (HS256 with the channel's `identity_secret`), or an access token of the identity provider.
    IdentityRefused for any other."""
    secrets = channel.credentials.get("identity_secret", "")
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        claims = _claims(token, secret) if secret else None
        if claims is not None:
            return _of_site(channel, claims)
    return _of_user(token)


def _claims(token: str, secret: str) -> dict[str, Any] | None:
    """None when it was signed with something else."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=["HS256"], options={"require": ["exp", "sub"]}, leeway=LEEWAY_SECONDS
        )
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError):
        return None
    except jwt.InvalidTokenError:
        raise IdentityRefused from None
    return claims


def _of_site(channel: Channel, claims: dict[str, Any]) -> Signed:
    sub, name, email, once = (claims.get(key) or "" for key in ("sub", "name", "email", "jti"))
    left = int(claims["exp"]) - time.time()
    if left > LONGEST_SECONDS + 60 or not all(isinstance(one, str) for one in (sub, name, email, once)) or not sub:
        raise IdentityRefused
    if once:
        _use_up(channel, once, left)
    sub = sub[:180]
    key = (IdentityKind.SITE, f"{channel.slug}:{sub}")
    return Signed(sub, key, name[:200], email[:254] if "@" in email else "", is_email_vouched=True)


def _use_up(channel: Channel, once: str, left: float) -> None:
    """A word that names itself counts once: whoever copies it comes too late."""
    name = hashlib.sha256(f"{channel.pk}:{once}".encode()).hexdigest()
    try:
        count_up("chat-identity", {name: 1}, int(left) + LEEWAY_SECONDS + 1)
    except TooMany:
        raise IdentityRefused from None


def _of_user(token: str) -> Signed:
    """The same contact as where they chat as a user. Somebody whom the provider itself calls nobody is a visitor."""
    try:
        claims = tokens.verify(token)
        if claims.is_anonymous:
            raise IdentityRefused
        user = people.user_for(claims)
    except NotSignedIn:
        raise IdentityRefused from None
    key = (IdentityKind.USER, str(user.pk))
    return Signed(f"user:{user.pk}", key, user.display_name[:200], user.email, user_id=user.pk)
