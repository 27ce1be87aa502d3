"""Pages of the browser: who is not signed in goes to the sign-in page and comes back afterwards."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from config.errors import NotFound, NotSignedIn
from config.languages import in_readers_language
from crm.access import is_member_somewhere
from crm.actors import Member
from crm.identity import requests
from crm.models import User
from crm.places import places_of

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def user_of(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise NotSignedIn
    return request.user


def who_looks(request: HttpRequest, actor: Member, workspace_name: str) -> dict[str, Any]:
    """For the rail, and for the page's module."""
    user = user_of(request)
    return {
        "me": {
            "id": user.pk,
            "name": user.display_name,
            "email": user.email,
            "expires_at": request.identity.expires_at,  # type: ignore[attr-defined]
        },
        "workspace": {
            "slug": actor.workspace_slug,
            "name": workspace_name,
            "role": actor.role,
            "can": actor.can,
        },
    }


def signed_in(page: Page[P]) -> Page[P]:
    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not isinstance(getattr(request, "user", None), User):
            return HttpResponseRedirect(f"/login?{urlencode({'next': request.get_full_path()})}")
        try:
            return page(request, *args, **kwargs)
        except NotFound:
            if requests.has_credentials(request) or is_member_somewhere(user_of(request).pk):
                raise
            return _without_workspace(request)

    return guarded


@in_readers_language
def _without_workspace(request: HttpRequest) -> HttpResponse:
    """Students and customers are no members: as much not there as any page, but with a way on, and one out."""
    user = user_of(request)
    context = {"email": user.email or user.display_name, "places": places_of(user.pk)}
    return render(request, "crm/no_workspace.html", context, status=NotFound.status)
