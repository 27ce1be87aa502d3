"""Content-Security-Policy: our pages load what is ours and nothing else, and stand in nobody's frame."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# A public board that asks to be put into other pages: it shows nothing but itself and takes no decision of anybody.
BOARD = "/leaderboard/"
FRAMED = POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
# The API's reference page comes from a library that writes its script into the page.
REFERENCE_PAGE = "/api/docs"
INLINE = "; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"

# The admin's library binds its pages by expressions in their attributes, and writes its colours into the page. Its
# scripts are files of our own all the same: nothing inline runs there.
ADMIN = "/admin/"
ADMIN_NEEDS = "; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"

# Browser automation evaluates its expressions in the page; a demo is reachable from its own machine alone.
EVALUATING = "; script-src 'self' 'unsafe-eval'"


class ContentSecurityPolicy:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        policy = FRAMED if is_framed(request) else POLICY
        response.headers.setdefault("Content-Security-Policy", policy + _more(request.path))
        return response


def is_framed(request: HttpRequest) -> bool:
    return request.path.startswith(BOARD) and request.GET.get("embed") == "1"


def _more(path: str) -> str:
    if path == REFERENCE_PAGE:
        return INLINE
    if path.startswith(ADMIN):
        return ADMIN_NEEDS
    return EVALUATING if settings.DEMO else ""
