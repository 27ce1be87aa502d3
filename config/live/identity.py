"""Who is at the other end of a socket. How one finds out is told by the app above that knows people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from config.errors import DomainError, NotSignedIn
from config.live.events import Event, publish

# Every hub listens to this topic; no socket can.
ACCESS_TOPIC = "_access"


@dataclass(frozen=True)
class Identity:
    user_id: UUID | None
    # Stable key of whom access changes are announced for, such as "user:<id>" or "key:<id>"
    subject: str
    # Epoch seconds; None never expires
    expires_at: float | None = None
    actor: Any = field(default=None, repr=False, compare=False)


FromBearer = Callable[[str], Identity]
FromCookies = Callable[[Mapping[str, str]], Identity | None]
# A token, or cookies: what somebody brought to the door
Brought = str | Mapping[str, str]
# Many at once, in their order; the error is the answer of who may not come in
FromMany = Callable[[Sequence[Brought]], Sequence[Identity | DomainError | None]]
Reload = Callable[[Identity], Identity | None]
Describe = Callable[[Identity], Mapping[str, Any]]


def _no_bearer(token: str) -> Identity:
    raise NotSignedIn


def _nobody(cookies: Mapping[str, str]) -> Identity | None:
    return None


def _unchanged(identity: Identity) -> Identity | None:
    return identity


def _nameless(identity: Identity) -> Mapping[str, Any]:
    return {}


def _one_by_one(brought: Sequence[Brought]) -> Sequence[Identity | DomainError | None]:
    return [_admitted(one) for one in brought]


def _admitted(brought: Brought) -> Identity | DomainError | None:
    try:
        return authenticator.from_bearer(brought) if isinstance(brought, str) else authenticator.from_cookies(brought)
    except DomainError as refused:
        return refused


@dataclass
class Authenticator:
    """All of these are sync, may query, and are called in a thread."""

    from_bearer: FromBearer = _no_bearer
    from_cookies: FromCookies = _nobody
    from_many: FromMany = _one_by_one
    renew: FromCookies = _nobody
    reload: Reload = _unchanged
    describe: Describe = _nameless


authenticator = Authenticator()


def register_authenticator(
    from_bearer: FromBearer,
    from_cookies: FromCookies,
    renew: FromCookies | None = None,
    reload: Reload | None = None,
    describe: Describe | None = None,
    from_many: FromMany | None = None,
) -> None:
    """Called once, in AppConfig.ready().

    `from_bearer` raises NotSignedIn; `from_cookies` answers None for no or an expired session. `renew` gets the
    cookies of the handshake and answers from the session kept on the server (by default as `from_cookies`). `reload`
    is asked after an access change: the identity with its actor read anew, or None when it is no longer one.
    `describe` names the sender of a signal, such as {"user": {"id", "name"}}. `from_many` says of all who come at once
    what the first two say of each, which is how it is done without it.
    """
    authenticator.from_bearer = from_bearer
    authenticator.from_cookies = from_cookies
    authenticator.renew = renew or from_cookies
    authenticator.reload = reload or _unchanged
    authenticator.describe = describe or _nameless
    authenticator.from_many = from_many or _one_by_one


@dataclass(frozen=True)
class AccessChanged(Event):
    type: ClassVar[str] = "access.changed"
    subject: str


def publish_access_change(subject: str) -> None:
    """Inside a unit of work: every socket of this subject is authorised anew on every process within two seconds."""
    publish(ACCESS_TOPIC, AccessChanged(subject))
