"""An address with a slash too many or too few at its end means the one that we have: a page leads there, and a
program, whose redirected POST would lose its body, is answered in its place."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import is_valid_path
from django.utils.decorators import sync_and_async_middleware

from config.problems import is_program

Handler = Callable[[HttpRequest], HttpResponseBase]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def middleware(get_response: Handler | AsyncHandler) -> Handler | AsyncHandler:
    """Looks again only where nothing was found, so that an address as documented pays nothing."""
    if iscoroutinefunction(get_response):
        later = cast(AsyncHandler, get_response)

        async def find_later(request: HttpRequest) -> HttpResponseBase:
            response = await later(request)
            meant = _meant(request, response)
            if not meant:
                return response
            return await later(_aimed(request, meant)) if is_program(request) else _led(request, meant)

        return find_later
    now = cast(Handler, get_response)

    def find(request: HttpRequest) -> HttpResponseBase:
        response = now(request)
        meant = _meant(request, response)
        if not meant:
            return response
        return now(_aimed(request, meant)) if is_program(request) else _led(request, meant)

    return find


def _meant(request: HttpRequest, response: HttpResponseBase) -> str:
    if response.status_code != 404 or request.resolver_match is not None:
        return ""
    path = request.path_info
    other = path[:-1] if path.endswith("/") else f"{path}/"
    return other if len(other) > 1 and is_valid_path(other) else ""


def _aimed(request: HttpRequest, path: str) -> HttpRequest:
    request.path = request.path.removesuffix(request.path_info) + path
    request.path_info = path
    return request


def _led(request: HttpRequest, path: str) -> HttpResponseBase:
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(f"{path}?{query}" if query else path)
