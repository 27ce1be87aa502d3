"""Who is at the other end of a live socket: the same tokens, cookies and rows as for HTTP."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from config.errors import DomainError, NotSignedIn
from config.live.identity import Brought, Identity, register_authenticator
from crm.api_keys import PREFIX
from crm.identity import cookies, guests, machines, people, sessions, tokens
from crm.identity.cookies import Cookie
from crm.identity.machines import SeenKey
from crm.identity.tokens import Claims
from crm.models import User
from crm.services.roles import key_subject, subject


@dataclass(frozen=True)
class Person(Identity):
    """`session_id` is the browser's session of a cookie, None of a bearer token."""

    name: str = ""
    session_id: UUID | None = None
    first_name: str = ""  # all that customers are told of us; empty where the name is only made from an address


def register() -> None:
    register_authenticator(
        from_bearer, from_cookies, renew=renew, reload=reload, describe=describe, from_many=from_many
    )


@dataclass(frozen=True)
class Machine(Identity):
    """An API key; `actor` is what it may be in its one workspace."""


def from_bearer(token: str) -> Identity:
    if token.startswith(PREFIX):
        return _machine(machines.key_on_socket(token))
    guest = guests.of_token(token)
    if guest is not None:
        return guest.from_bearer(token)
    claims = tokens.verify(token)
    return _person(people.user_for(claims), claims.expires_at)


def from_many(brought: Sequence[Brought]) -> list[Identity | DomainError | None]:
    """The rows of all who come at once in one statement for tokens and one for cookies; machines and guests, who are
    few, one by one."""
    found: list[Identity | DomainError | None] = [None] * len(brought)
    claimed: dict[int, Claims] = {}
    held: dict[int, Cookie] = {}
    for place, one in enumerate(brought):
        try:
            if not isinstance(one, str):
                if cookie := _not_expired(one):
                    held[place] = cookie
            elif one.startswith(PREFIX) or guests.of_token(one):
                found[place] = from_bearer(one)
            else:
                claimed[place] = tokens.verify(one)
        except DomainError as refused:
            found[place] = refused
    for place, who in zip(claimed, people.users_for(list(claimed.values())), strict=True):
        found[place] = _person(who, claimed[place].expires_at) if isinstance(who, User) else who
    for place, who in zip(held, people.users_in_browsers(list(held.values())), strict=True):
        cookie = held[place]
        found[place] = _person(who, cookie.expires_at, cookie.session_id) if isinstance(who, User) else None
    return found


def from_cookies(given: Mapping[str, str]) -> Person | None:
    """An expired cookie is nobody: a socket has no answer to put a new one into."""
    held = _not_expired(given)
    return None if held is None else _of_session(held)


def renew(given: Mapping[str, str]) -> Person | None:
    """Without a token: from the session behind the cookie of the handshake, whatever has expired meanwhile."""
    held = cookies.read(given)
    if held is None:
        return None
    try:
        return _of_session(sessions.renew(held, wait=True))
    except NotSignedIn:
        return None


def reload(identity: Identity) -> Identity | None:
    """After an access change; None when deactivated, signed out in this browser, or a key that is none any more."""
    if isinstance(identity, Machine):
        try:
            return _machine(machines.key_again(identity.actor.key_id))
        except NotSignedIn:
            return None
    guest = guests.of_identity(identity)
    if guest is not None:
        return guest.reload(identity)
    if not isinstance(identity, Person):
        return None
    user = User.objects.filter(pk=identity.actor, deactivated_at=None).first()
    if user is None or (identity.session_id is not None and not sessions.is_alive(identity.session_id, user.pk)):
        return None
    return _person(user, identity.expires_at, identity.session_id)


def describe(identity: Identity) -> Mapping[str, Any]:
    if isinstance(identity, Machine):
        return {"user": {"id": str(identity.actor.key_id), "name": identity.actor.name}}
    guest = guests.of_identity(identity)
    if guest is not None:
        return guest.describe(identity)
    name = identity.name if isinstance(identity, Person) else ""
    return {"user": {"id": str(identity.user_id), "name": name}}


def _not_expired(given: Mapping[str, str]) -> Cookie | None:
    held = cookies.read(given)
    return None if held is None or held.seconds_left() <= 0 else held


def _machine(seen: SeenKey) -> Machine:
    expires_at = None if math.isinf(seen.expires_at) else seen.expires_at
    return Machine(user_id=None, subject=key_subject(seen.actor.key_id), expires_at=expires_at, actor=seen.actor)


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
        first_name=user.first_name,
    )
