"""The site at /admin/. Who is signed in to the product is signed in here; only platform admins find anything."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.messages.middleware import MessageMiddleware
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern
from unfold.sites import UnfoldAdminSite

PATH = "/admin/"
# There is no password of ours to change, and nothing to sign in to by itself.
LEFT_OUT = {"password_change", "password_change_done", "view_on_site"}


class Site(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    def get_urls(self) -> list[URLPattern]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in LEFT_OUT]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
        shown = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.has_permission(request):
                answer: HttpResponseBase = shown(request, *args, **kwargs)
                return answer
            return turned_away(request)

        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("admin:index") if self.has_permission(request) else turned_away(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return HttpResponseRedirect("/logout", status=307)  # the same POST, with its CSRF token


def turned_away(request: HttpRequest) -> HttpResponse:
    """For everybody else who is signed in there is no such place."""
    if request.user.is_authenticated:
        raise Http404
    return HttpResponseRedirect(f"/login?{urlencode({'next': request.get_full_path()})}")


class AdminMessages(MessageMiddleware):
    """Messages after an action, kept in a cookie: here alone, the rest of the product has none."""

    async_capable = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        inside = request.path_info.startswith(PATH)
        return cast(HttpResponseBase, super().__call__(request) if inside else self.get_response(request))
