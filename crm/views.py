"""Signing in and out in the browser, and who one is."""

from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import problems
from config.errors import DomainError, NotSignedIn, TooMany
from crm.access import has_no_inbox, works_only_in_exams
from crm.identity import addresses, cookies, demo, grants, requests, sessions, trust
from crm.identity.errors import BadCsrf, NotConfirmed, WrongPassword
from crm.identity.me import MeSerializer, get_me
from crm.identity.requests import Identified
from crm.identity.throttle import PasswordTry
from crm.models import User

HOME = "/inbox"
EXAMS = "/proctor"
CONTACTS = "/contacts"
LONGEST_NEXT = 2000
LONGEST_FIELD = 320
# Where coming back to would lead nowhere.
_NOWHERE = {"/login", "/logout", "/session/renew"}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(_landing(user.pk) if isinstance(user := request.user, User) else "/login")


def _landing(user_id: UUID, target: str = HOME) -> str:
    """Where one goes who has not asked for anything else: tutors without an inbox have their exams, and where the inbox
    is switched off there are the contacts."""
    if target != HOME:
        return target
    if works_only_in_exams(user_id):
        return EXAMS
    return CONTACTS if has_no_inbox(user_id) else HOME


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _sign_in(request)
    target = safe_next(request.GET.get("next", ""))
    if isinstance(request.user, User):
        return HttpResponseRedirect(_landing(request.user.pk, target))
    return _form(request, target)


def _sign_in(request: HttpRequest) -> HttpResponse:
    email, password = request.POST.get("email", "").strip(), request.POST.get("password", "")
    target = safe_next(request.POST.get("next", ""))
    try:
        cookie = _session_for(request, email, password)
    except DomainError as refused:
        # One sentence for every wrong guess: whether the address exists is nobody's business.
        status = 400 if isinstance(refused, WrongPassword | NotConfirmed) else refused.status
        response = _form(request, target, error=str(refused), status=status)
        if isinstance(refused, TooMany):
            response["Retry-After"] = str(refused.data["retry_after"])
        return response
    _leave_old_session(request)
    rotate_token(request)
    requests.replace_cookie(request, cookie)
    return HttpResponseRedirect(_landing(cookie.user_id, target), status=303)


def _session_for(request: HttpRequest, email: str, password: str) -> cookies.Cookie:
    if not _is_plausible(email) or not _is_plausible(password):
        raise WrongPassword
    attempt = PasswordTry(source=addresses.source(request), email=email)
    attempt.begin()
    cookie = sessions.start(grants.by_password(email, password))
    attempt.succeeded()
    return cookie


def _is_plausible(field: str) -> bool:
    return 0 < len(field) <= LONGEST_FIELD and "\x00" not in field


def _form(request: HttpRequest, target: str, *, error: str | None = None, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"error": error, "email": request.POST.get("email", ""), "next": target}
    if settings.DEMO and trust.is_own_issuer():
        context |= {"demo_accounts": demo.ACCOUNTS, "demo_password": demo.PASSWORD}
    return render(request, "crm/login.html", context, status=status)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    _leave_old_session(request)
    requests.forget_cookie(request)
    rotate_token(request)
    return HttpResponseRedirect("/login", status=303)


def _leave_old_session(request: HttpRequest) -> None:
    held = cookies.read(request.COOKIES)
    if held is not None:
        sessions.end(held.session_id)


@never_cache
@require_POST
def renew(request: HttpRequest) -> HttpResponse:
    """For a page that has been open for long. Works on an expired cookie too, as long as its session lives."""
    held = cookies.read(request.COOKIES)
    if held is None:
        raise NotSignedIn
    try:
        fresh = sessions.renew(held, wait=True)
    except NotSignedIn:
        requests.forget_cookie(request)
        raise
    requests.replace_cookie(request, fresh)
    return JsonResponse({"expires_at": fresh.expires_at})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    problem = problems.of(BadCsrf())
    assert problem is not None  # noqa: S101 - a DomainError always is one
    if not problems.is_program(request):
        return problems.page(problem)
    return problems.answer(problem, request.headers.get("Accept-Language"))


class MeView(APIView):
    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who is signed in, and what they belong to."""
        user, identity = requests.signed_in_user(request._request), cast(Identified, request.auth)
        return Response(get_me(user, identity), headers={"Cache-Control": "no-store"})


def safe_next(target: str) -> str:
    """A path of our own, or the inbox. Browsers read backslashes and control characters in their own way, so none."""
    plain = target.isprintable() and "\\" not in target and len(target) <= LONGEST_NEXT
    if not plain or not target.startswith("/") or not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return HOME
    return HOME if urlsplit(target).path.rstrip("/") in _NOWHERE else target
