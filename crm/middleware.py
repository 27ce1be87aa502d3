"""Resolves who is asking, once for each request, and shapes what was refused on the way."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from config import problems
from config.errors import DomainError, NotSignedIn
from crm.identity import requests
from crm.identity.exempt import takes_legacy_key, takes_no_identity

# Not our fault and soon over: 503, to a program and on a page, also when it is found out before the view begins.
DATABASE_GONE = (OperationalError, InterfaceError)

Handler = Callable[[HttpRequest], HttpResponseBase]


class IdentityMiddleware:
    """Last in MIDDLEWARE, after CSRF. The database is asked in `process_view`, where the workspace is known.

    Sync under ASGI too: as the innermost it keeps the whole chain in one thread, where an async one makes every
    middleware around it hop between loop and thread (a fifth more CPU for each request, measured).
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        requests.prepare(request)
        return requests.finish(request, self._get_response(request))

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if takes_no_identity(view):
            return None
        try:
            requests.identify(
                request,
                kwargs.get("workspace"),
                csrf_exempt=getattr(view, "csrf_exempt", False),
                legacy_key=takes_legacy_key(view),
            )
        except (DomainError, *DATABASE_GONE) as refused:
            return refusal(request, refused)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Of views that are not DRF's. None leaves it to Django: its own 404 page, or a logged 500."""
        if isinstance(error, (DomainError, *DATABASE_GONE)) or problems.is_program(request):
            return refusal(request, error)
        return None


def refusal(request: HttpRequest, error: Exception) -> HttpResponse | None:
    problem = problems.of(error)
    if problem is None:
        return None
    # A program that asks for a page with its token is not helped by the sign-in page either.
    if problems.is_program(request) or requests.has_credentials(request):
        return problems.answer(problem, request.headers.get("Accept-Language"))
    if isinstance(error, NotSignedIn):
        return HttpResponseRedirect(f"/login?{urlencode({'next': request.get_full_path()})}")
    return problems.page(problem)
