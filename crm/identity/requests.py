"""Who a request is from, found out once: `request.user`, `request.identity` and, below a workspace, `request.actor`."""

import re
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.cache import patch_vary_headers

from config import problems
from config.errors import NotSignedIn
from crm.api_keys import PREFIX
from crm.identity import cookies, guests, machines, people, sessions, tokens
from crm.identity.cookies import Cookie
from crm.identity.errors import BadCsrf, IssuerUnreachable, PersonNeeded, SessionEnded
from crm.identity.people import Seen
from crm.models import User

_BEARER = re.compile(r"bearer(?: +(.*))?", re.IGNORECASE)
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
# On the request: what the answer does to the browser's cookie.
_NEW_COOKIE, _NO_COOKIE = "_sign_in_cookie", "_sign_in_cookie_gone"


@dataclass(frozen=True)
class Identified:
    """How we know who it is. `session_id` is the browser's session, or the issuer's of a bearer token.

    `via` key: a machine; `user_id` is the key's creator then, and `request.user` stays nobody.
    """

    user_id: UUID
    via: Literal["bearer", "cookie", "key"]
    expires_at: float
    session_id: UUID | None


def prepare(request: HttpRequest) -> None:
    """Before anything else: nobody, until shown otherwise. What carries a token or a key cannot be forged by a page."""
    request.user = AnonymousUser()
    _set(request, identity=None, actor=None, switches={})
    if has_credentials(request):
        _set(request, _dont_enforce_csrf_checks=True)


def identify(request: HttpRequest, workspace: str | None, *, csrf_exempt: bool, legacy_key: bool = False) -> None:
    """One query, or two where somebody is no member. A bearer counts before a key's header, and that before a cookie.

    `legacy_key`: the view is one of the few that take the old single key.
    """
    token = bearer(request)
    key = machine_key(request)
    if legacy_key and workspace is not None and _by_legacy_key(request, key or token, workspace):
        return
    if key is not None:
        _by_key(request, key, workspace)
        return
    if token is None:
        _by_cookie(request, workspace, csrf_exempt)
    elif guests.of_token(token) is None:  # a guest is nobody here: only views that know them ask for more
        claims = tokens.verify(token)
        seen = people.seen(claims, workspace)
        _become(request, seen, via="bearer", expires_at=claims.expires_at, session_id=claims.session_id)
    if workspace is not None and not request.user.is_authenticated:
        raise NotSignedIn


def bearer(request: HttpRequest) -> str | None:
    """None without a bearer header."""
    found = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    return found and (found[1] or "")


def machine_key(request: HttpRequest) -> str | None:
    """A bearer that looks like a key of ours; without any bearer, what X-API-Key says."""
    token = bearer(request)
    if token is not None:
        return token if token.startswith(PREFIX) else None
    said: str | None = request.headers.get("X-API-Key")
    return said


def has_credentials(request: HttpRequest) -> bool:
    """Something that a browser does not send by itself."""
    return bearer(request) is not None or "X-API-Key" in request.headers


def signed_in_user(request: HttpRequest) -> User:
    identity: Identified | None = vars(request).get("identity")
    if identity is not None and identity.via == "key":
        raise PersonNeeded
    if not isinstance(request.user, User):
        raise NotSignedIn
    return request.user


def replace_cookie(request: HttpRequest, cookie: Cookie) -> None:
    _set(request, **{_NEW_COOKIE: cookie})


def finish(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Hands the browser its new cookie, or takes the old one away."""
    cookie: Cookie | None = getattr(request, _NEW_COOKIE, None)
    if cookie is not None:
        cookies.put(response, cookie)
    elif getattr(request, _NO_COOKIE, False):
        cookies.clear(response)
    if request.identity is not None:  # type: ignore[attr-defined]
        patch_vary_headers(response, ("Cookie", "Authorization", "X-API-Key"))
    return response


def forget_cookie(request: HttpRequest) -> None:
    _set(request, **{_NO_COOKIE: True, _NEW_COOKIE: None})


def _by_cookie(request: HttpRequest, workspace: str | None, csrf_exempt: bool) -> None:
    held = cookies.read(request.COOKIES)
    if held is None:
        return
    if csrf_exempt and request.method not in _SAFE_METHODS:
        check_csrf(request)
    try:
        held = _renewed(request, held)
        seen = people.seen_in_browser(held.user_id, held.session_id, workspace)
    except IssuerUnreachable:
        # A program does better to wait than to sign in again; a page can say so on the way to the sign-in.
        if problems.is_program(request):
            raise
    except NotSignedIn:
        forget_cookie(request)
    else:
        _become(request, seen, via="cookie", expires_at=held.expires_at, session_id=held.session_id)


def _by_key(request: HttpRequest, key: str, workspace: str | None) -> None:
    found = machines.key_for(key, workspace)
    actor = found.actor
    identity = Identified(actor.user_id, "key", found.expires_at, None)
    _set(request, identity=identity, actor=None if workspace is None else actor, switches=found.switches)


def _by_legacy_key(request: HttpRequest, key: str | None, workspace: str) -> bool:
    actor = None if key is None else machines.legacy_key_actor(key, workspace)
    if actor is None:
        return False
    _set(request, identity=Identified(actor.user_id, "key", float("inf"), None), actor=actor)
    return True


def _renewed(request: HttpRequest, held: Cookie) -> Cookie:
    """With few minutes left, fetches new claims; until then the old ones do."""
    left = held.seconds_left()
    if left > sessions.RENEW_SECONDS:
        return held
    try:
        fresh = sessions.renew(held, wait=left <= 0)
    except IssuerUnreachable:
        if left <= 0:
            raise
        return held
    if fresh != held:
        replace_cookie(request, fresh)
    if fresh.seconds_left() <= 0:
        raise SessionEnded
    return fresh


def _become(
    request: HttpRequest,
    seen: Seen,
    *,
    via: Literal["bearer", "cookie"],
    expires_at: float,
    session_id: UUID | None,
) -> None:
    request.user = seen.user
    identity = Identified(seen.user.pk, via, expires_at, session_id)
    _set(request, identity=identity, actor=seen.actor, switches=seen.switches)


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        raise BadCsrf


def _nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


_csrf = _CsrfCheck(_nothing)


def check_csrf(request: HttpRequest) -> None:
    """For views that Django exempts, as DRF's are: a cookie comes along with what any page sends."""
    _csrf.process_request(request)
    _csrf.process_view(request, _unexempt, (), {})


def _unexempt(*_: object, **__: object) -> HttpResponse:
    return HttpResponse()


def _set(request: HttpRequest, **values: Any) -> None:
    vars(request).update(values)
