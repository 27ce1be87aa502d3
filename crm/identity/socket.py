"""Who is at the other end of a live socket: the same tokens, cookies and rows as for HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from config.errors import NotSignedIn
from config.live.identity import Identity, register_authenticator
from crm.identity import cookies, people, sessions, tokens
from crm.identity.cookies import Cookie
from crm.models import User
from crm.services.roles import subject


@dataclass(frozen=True)
class Person(Identity):
    """`session_id` is the browser's session of a cookie, None of a bearer token."""

    name: str = ""
    session_id: UUID | None = None


def register() -> None:
    register_authenticator(from_bearer, from_cookies, renew=renew, reload=reload, describe=describe)


def from_bearer(token: str) -> Person:
    claims = tokens.verify(token)
    return _person(people.user_for(claims), claims.expires_at)


def from_cookies(given: Mapping[str, str]) -> Person | None:
    """An expired cookie is nobody: a socket has no answer to put a new one into."""
    held = cookies.read(given)
    return None if held is None or held.seconds_left() <= 0 else _of_session(held)


def renew(given: Mapping[str, str]) -> Person | None:
    """Without a token: from the session behind the cookie of the handshake, whatever has expired meanwhile."""
    held = cookies.read(given)
    if held is None:
        return None
    try:
        return _of_session(sessions.renew(held, wait=True))
    except NotSignedIn:
        return None


def reload(identity: Identity) -> Person | None:
    """After an access change; None when deactivated, or signed out in this browser."""
    if not isinstance(identity, Person):
        return None
    user = User.objects.filter(pk=identity.actor, deactivated_at=None).first()
    if user is None or (identity.session_id is not None and not sessions.is_alive(identity.session_id, user.pk)):
        return None
    return _person(user, identity.expires_at, identity.session_id)


def describe(identity: Identity) -> Mapping[str, Any]:
    name = identity.name if isinstance(identity, Person) else ""
    return {"user": {"id": str(identity.user_id), "name": name}}


def _of_session(held: Cookie) -> Person | None:
    try:
        user = people.seen_in_browser(held.user_id, held.session_id).user
    except NotSignedIn:
        return None
    return _person(user, held.expires_at, held.session_id)


def _person(user: User, expires_at: float | None, session_id: UUID | None = None) -> Person:
    return Person(
        user_id=user.pk,
        subject=subject(user.pk),
        expires_at=expires_at,
        actor=user.pk,
        name=user.display_name,
        session_id=session_id,
    )
