"""Whose beat it is, on the hot road: the same tokens and cookies as for every other request, checked without a query.

What may have changed since a token was given (a user deactivated, signed out, no longer enrolled) the statement checks.
"""

import time
from collections import OrderedDict

from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from config.errors import NotSignedIn
from config.hot import Request
from config.live.identity import authenticator
from config.live.threads import run_sync
from crm.identity import cookies
from crm.identity.hot import claims_at_hand
from crm.identity.requests import check_csrf
from proctoring.people import Student
from proctoring.services.grants import TOKEN_HEADER, student_of_token

KNOWN_TOKENS = 20_000
_BEARER = "bearer "


class _Known:
    """Tokens whose signature was right, until they expire: checking one again would only cost."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[Student, float]] = OrderedDict()

    def get(self, token: str) -> Student | None:
        held = self._held.get(token)
        if held is None:
            return None
        if held[1] <= time.time():
            del self._held[token]
            return None
        return held[0]

    def put(self, token: str, student: Student, expires_at: float) -> None:
        self._held[token] = (student, expires_at)
        if len(self._held) > KNOWN_TOKENS:
            self._held.popitem(last=False)


_known = _Known()


async def student_of(request: Request) -> Student:
    """Raises NotSignedIn, or BadCsrf for a cookie that came along with somebody else's page."""
    if token := request.headers.get(TOKEN_HEADER.lower(), ""):
        return student_of_token(token)
    if token := _bearer(request):
        return _known.get(token) or await _student_behind(token)
    held = cookies.read(parse_cookie(request.headers.get("cookie", "")))
    if held is None or held.seconds_left() <= 0:
        raise NotSignedIn
    check_csrf(_as_django(request))
    return Student(user_id=held.user_id, browser_session=held.session_id)


async def refuse_strangers(request: Request) -> None:
    """For whom nothing was found by the statement: raises if there is no user behind the token, or none any more."""
    if request.headers.get(TOKEN_HEADER.lower()) is None and (token := _bearer(request)):
        await run_sync(authenticator.from_bearer, token)


def _bearer(request: Request) -> str:
    authorization = request.headers.get("authorization", "").strip()
    return authorization[len(_BEARER) :].strip() if authorization[: len(_BEARER)].lower() == _BEARER else ""


async def _student_behind(token: str) -> Student:
    claims = claims_at_hand(token)
    if claims is not None:
        student, expires_at = Student(subject=str(claims.sub)), claims.expires_at
    else:
        found = await run_sync(authenticator.from_bearer, token)
        if found.user_id is None or found.expires_at is None:  # a machine, or a visitor
            raise NotSignedIn
        student, expires_at = Student(user_id=found.user_id), found.expires_at
    _known.put(token, student, expires_at)
    return student


def _as_django(request: Request) -> HttpRequest:
    """As much of it as the check of CSRF looks at."""
    made = HttpRequest()
    made.method = request.method
    made.COOKIES = parse_cookie(request.headers.get("cookie", ""))
    names = {"x-csrftoken": settings.CSRF_HEADER_NAME, "origin": "HTTP_ORIGIN", "referer": "HTTP_REFERER"}
    made.META = {meta: request.headers[name] for name, meta in names.items() if name in request.headers}
    made.META["HTTP_HOST"] = request.headers.get("host", "")
    made.META["SERVER_NAME"], made.META["SERVER_PORT"] = "", ""
    if settings.SECURE_COOKIES:
        made.META["wsgi.url_scheme"] = "https"
    return made
