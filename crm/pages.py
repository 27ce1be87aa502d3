"""Pages of the browser: who is not signed in goes to the sign-in page and comes back afterwards."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from config.errors import NotSignedIn
from crm.models import User

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def user_of(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise NotSignedIn
    return request.user


def signed_in(page: Page[P]) -> Page[P]:
    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not isinstance(getattr(request, "user", None), User):
            return HttpResponseRedirect(f"/login?{urlencode({'next': request.get_full_path()})}")
        return page(request, *args, **kwargs)

    return guarded
