"""Pages of the browser: who is not signed in goes to the sign-in page and comes back afterwards."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from config.errors import NotSignedIn
from crm.actors import Member
from crm.models import User

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
        return page(request, *args, **kwargs)

    return guarded
