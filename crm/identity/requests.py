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
from crm.identity import cookies, people, sessions, tokens
from crm.identity.cookies import Cookie
from crm.identity.errors import BadCsrf, IssuerUnreachable, SessionEnded
from crm.identity.people import Seen
from crm.models import User

_BEARER = re.compile(r"bearer(?: +(.*))?", re.IGNORECASE)
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
# On the request: what the answer does to the browser's cookie.
_NEW_COOKIE, _NO_COOKIE = "_sign_in_cookie", "_sign_in_cookie_gone"


@dataclass(frozen=True)
class Identified:
    """How we know who it is. `session_id` is the browser's session, or the issuer's of a bearer token."""

    user_id: UUID
    via: Literal["bearer", "cookie"]
    expires_at: float
    session_id: UUID | None


def prepare(request: HttpRequest) -> None:
    """Before anything else: nobody, until shown otherwise. What carries a bearer token cannot be forged by a page."""
    request.user = AnonymousUser()
    _set(request, identity=None, actor=None)
    if bearer(request) is not None:
        _set(request, _dont_enforce_csrf_checks=True)


def identify(request: HttpRequest, workspace: str | None, *, csrf_exempt: bool) -> None:
    """One query, or two where somebody is no member. With both a bearer and a cookie, the bearer alone counts."""
    token = bearer(request)
    if token is None:
        _by_cookie(request, workspace, csrf_exempt)
    else:
        claims = tokens.verify(token)
        _become(
            request,
            people.seen(claims, workspace),
            via="bearer",
            expires_at=claims.expires_at,
            session_id=claims.session_id,
        )
    if workspace is not None and not request.user.is_authenticated:
        raise NotSignedIn


def bearer(request: HttpRequest) -> str | None:
    """None without a bearer header. Keys of our own will be told apart here by their form."""
    found = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    return found and (found[1] or "")


def signed_in_user(request: HttpRequest) -> User:
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
        patch_vary_headers(response, ("Cookie", "Authorization"))
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
    _set(request, identity=Identified(seen.user.pk, via, expires_at, session_id), actor=seen.actor)


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
