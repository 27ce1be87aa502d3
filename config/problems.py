"""Turns what went wrong into application/problem+json, for views, middleware and Django's own error answers alike.

Codes are stable; the text is safe to show. Never a stack trace, never what somebody wrote.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, cast

import orjson
from asgiref.sync import iscoroutinefunction
from django.core import exceptions as django_errors
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist
from django.template.loader import select_template
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware
from rest_framework import exceptions as drf_errors

from config.errors import DomainError, Forbidden, Invalid, NotFound, NotSignedIn, TooLarge, TooMany, Unavailable
from config.languages import in_language, language_asked, told

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# Read by programs. Everything else is a page and gets an HTML answer.
PROGRAM_PATHS = ("/api/", "/auth/", "/session/", "/webhooks/")


@dataclass(frozen=True)
class Problem:
    status: int
    code: str
    detail: str
    data: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return HTTPStatus(self.status).phrase

    def body(self) -> dict[str, Any]:
        own = {"type": "about:blank", "title": self.title, "status": self.status, "code": self.code}
        return {**self.data, **own, "detail": self.detail}


INTERNAL = Problem(500, "internal", "Something went wrong on our side.")
# Errors that Django answers by itself, by status.
_BY_STATUS = {
    400: Problem(400, "malformed", "The request cannot be read."),
    401: Problem(401, NotSignedIn.code, NotSignedIn.message),
    403: Problem(403, Forbidden.code, Forbidden.message),
    404: Problem(404, NotFound.code, NotFound.message),
    405: Problem(405, "method_not_allowed", "This method does not exist here."),
    413: Problem(413, TooLarge.code, TooLarge.message),
    414: Problem(414, "uri_too_long", "The address is too long."),
}
_OF_DRF: list[tuple[type[drf_errors.APIException], str]] = [
    (drf_errors.ParseError, "malformed"),
    (drf_errors.AuthenticationFailed, NotSignedIn.code),
    (drf_errors.NotAuthenticated, NotSignedIn.code),
    (drf_errors.PermissionDenied, Forbidden.code),
    (drf_errors.NotFound, NotFound.code),
    (drf_errors.MethodNotAllowed, "method_not_allowed"),
    (drf_errors.NotAcceptable, "not_acceptable"),
    (drf_errors.UnsupportedMediaType, "unsupported_media_type"),
    (drf_errors.Throttled, TooMany.code),
]


def is_program(request: HttpRequest) -> bool:
    """Whether the answer is for a program rather than for a person's eyes."""
    return request.path_info.startswith(PROGRAM_PATHS)


def of(error: BaseException) -> Problem | None:
    """None for what nobody expected: that is logged with its trace where it is caught, and answered as INTERNAL."""
    if isinstance(error, DomainError):
        return Problem(error.status, error.code, error.message, _listed(error.data), _headers(error.status, error.data))
    if isinstance(error, drf_errors.APIException):
        return _of_drf(error)
    if isinstance(error, Http404):
        return _BY_STATUS[404]
    if isinstance(error, django_errors.PermissionDenied):
        return _BY_STATUS[403]
    if isinstance(error, django_errors.RequestDataTooBig):
        return _BY_STATUS[413]
    if isinstance(error, django_errors.BadRequest | django_errors.SuspiciousOperation):
        return _BY_STATUS[400]
    if isinstance(error, DataError):
        # The last net: text with a null character, a number that no column holds. The forms should have said so.
        logger.warning("Refused by the database", extra={"action": "data_refused", "state": _state(error)})
        return Problem(400, Invalid.code, "The request holds something that cannot be kept.")
    if isinstance(error, OperationalError | InterfaceError):
        return Problem(Unavailable.status, Unavailable.code, Unavailable.message)
    return None


def _listed(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is wrong by field, in the form that DRF gives what it found: a list of sentences, also where it is one."""
    return {**data, "errors": _in_lists(data["errors"])} if "errors" in data else data


def _in_lists(said: Any) -> Any:
    if isinstance(said, Mapping):
        return {name: _in_lists(one) for name, one in said.items()}
    return said if isinstance(said, list) else [said]


def _state(error: DataError) -> str:
    return str(getattr(error.__cause__, "sqlstate", None) or "")


def _of_drf(error: drf_errors.APIException) -> Problem | None:
    if isinstance(error, drf_errors.ValidationError):
        errors = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        return Problem(400, Invalid.code, Invalid.message, {"errors": errors})
    code = next((code for kind, code in _OF_DRF if isinstance(error, kind)), None)
    if code is None:
        return None if error.status_code >= 500 else Problem(error.status_code, "refused", str(error.detail))
    wait = getattr(error, "wait", None)  # of Throttled
    data = {"retry_after": wait} if wait is not None else {}
    return Problem(error.status_code, code, str(error.detail), data, _headers(error.status_code, data))


def _headers(status: int, data: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    wait = data.get("retry_after")
    if isinstance(wait, int | float):
        headers["Retry-After"] = str(max(1, round(wait)))
    return headers


def answer(problem: Problem, accept_language: str | None = None) -> HttpResponse:
    """`accept_language`: the request's header. Pages send their own language in it, programs mostly none."""
    language = language_asked(accept_language or "")
    response = HttpResponse(
        encoded(in_words(problem, language)),
        status=problem.status,
        content_type=CONTENT_TYPE,
        headers=dict(problem.headers),
    )
    _tell_language(response, language)
    return response


def in_words(problem: Problem, language: str) -> Problem:
    return replace(problem, detail=in_language(problem.detail, language), data=told(problem.data, language))


def _tell_language(response: HttpResponse, language: str) -> None:
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])


def page(problem: Problem) -> HttpResponse:
    """The same for a person. `<status>.html` or `error.html`, with the problem's parts as its context."""
    try:
        content = select_template([f"{problem.status}.html", "error.html"]).render(problem.body())
    except TemplateDoesNotExist:
        return HttpResponse(problem.detail, status=problem.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(content, status=problem.status, headers=dict(problem.headers))


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """For REST_FRAMEWORK["EXCEPTION_HANDLER"]. None hands the error to Django, which logs it with its trace."""
    problem = of(error)
    request = context.get("request")
    return None if problem is None else answer(problem, request.headers.get("Accept-Language") if request else None)


Handler = Callable[[HttpRequest], HttpResponseBase]
AsyncHandler = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def middleware(get_response: Handler | AsyncHandler) -> Handler | AsyncHandler:
    """Outermost: where Django answers a program with an HTML error page of its own, the page becomes a problem."""
    if iscoroutinefunction(get_response):
        later = cast(AsyncHandler, get_response)

        async def tidy_later(request: HttpRequest) -> HttpResponseBase:
            return _refused(request) or _tidied(request, await later(request))

        return tidy_later
    now = cast(Handler, get_response)

    def tidy(request: HttpRequest) -> HttpResponseBase:
        return _refused(request) or _tidied(request, now(request))

    return tidy


def _refused(request: HttpRequest) -> HttpResponse | None:
    """A null character in an address: Postgres holds none, so there is nothing to find by it."""
    if "\x00" in request.path_info:
        problem = _BY_STATUS[404]
    elif "%00" in request.META.get("QUERY_STRING", ""):
        wrong = {name: ["Null characters are not allowed."] for name in _with_null(request)}
        problem = Problem(400, Invalid.code, Invalid.message, {"errors": wrong})
    else:
        return None
    return answer(problem, request.headers.get("Accept-Language")) if is_program(request) else page(problem)


def _with_null(request: HttpRequest) -> list[str]:
    return [name for name, values in request.GET.lists() if "\x00" in "".join([name, *values])]


def _tidied(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code < 400 or not isinstance(response, HttpResponse) or not is_program(request):
        return response
    if not response.get("Content-Type", "").startswith("text/html"):
        return response
    problem = _BY_STATUS.get(response.status_code) or (
        INTERNAL if response.status_code >= 500 else Problem(response.status_code, "refused", response.reason_phrase)
    )
    language = language_asked(request.headers.get("Accept-Language", ""))
    response.content = encoded(in_words(problem, language))
    response["Content-Type"] = CONTENT_TYPE
    _tell_language(response, language)
    if response.has_header("Content-Length"):
        response["Content-Length"] = str(len(response.content))
    return response


def encoded(problem: Problem) -> bytes:
    return orjson.dumps(problem.body(), default=str, option=orjson.OPT_NON_STR_KEYS)  # of lists: the place
