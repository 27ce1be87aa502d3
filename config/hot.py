"""Hot roads: bare ASGI functions mounted by path before Django. They skip its middleware, so this wrapper gives them
what every road must have: the host check, a size limit, a request id, Server-Timing and problem+json."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from config import metrics, problems
from config.errors import DomainError, Invalid, TooLarge
from config.languages import language_asked

logger = logging.getLogger(__name__)

# On every call that we make to a subscriber. One that comes back to a road of ours would go round for ever.
HOPS = "switchboard-hops"

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Loop(DomainError):
    code = "loop"
    status = 508
    message = "This is a call of our own that came back."


class Internal(DomainError):
    code = "internal"
    status = 500
    message = "Something went wrong on our side."


class MethodNotAllowed(DomainError):
    code = "method_not_allowed"
    status = 405
    message = "This method does not exist here."

    def __init__(self, *allowed: str) -> None:
        super().__init__()
        self.allowed = allowed


class Disconnected(Exception):
    """The client left before its request was whole: there is nobody to answer."""


@dataclass(slots=True)
class Request:
    scope: Scope
    receive: Receive
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    queries: int = 0
    seconds: float = 0.0  # of the database

    def count_query(self, seconds: float) -> None:
        """For Server-Timing, on the roads that are part of the REST API."""
        self.queries += 1
        self.seconds += seconds

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    def check_size(self, most: int) -> None:
        """By the announced length, before a byte of the body is read."""
        announced = self.headers.get("content-length", "")
        if announced and not announced.isdigit():
            raise Invalid("Content-Length is not a number.")
        if announced and int(announced) > most:
            raise TooLarge(limit=most)

    async def body(self, most: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise TooLarge(limit=most)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[Request, str], Awaitable[Answer]]


def road(prefix: str, handler: Handler) -> "Road":
    """`handler(request, rest)` answers every path under `prefix`; `rest` is what follows it."""
    return Road(prefix, handler)


@dataclass(frozen=True, slots=True)
class Road:
    prefix: str
    handler: Handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(scope, receive, headers)
        try:
            answer = await self._answer(request, scope["path"][len(self.prefix) :])
        except Disconnected:
            return
        await _send(send, answer, _timing(request, started))
        took = time.perf_counter() - started
        metrics.observe(metrics.hot_name(scope["path"]), scope["method"], answer.status, took)

    async def _answer(self, request: Request, rest: str) -> Answer:
        try:
            _check_host(request.headers.get("host", ""))
            if HOPS in request.headers:
                raise Loop
            return await self.handler(request, rest)
        except DomainError as error:
            return problem(error, request.headers.get("accept-language", ""))
        except Disconnected:
            raise
        except Exception:  # the outermost guard: what Django's handler is to every other road
            logger.exception("hot road failed", extra={"action": "hot_road_failed", "road": self.prefix})
            return problem(Internal())


def _timing(request: Request, started: float) -> str:
    """As `config.timing` writes it, where the road counts its queries."""
    if not (settings.DEMO or settings.DEBUG):
        return ""
    total = f"total;dur={(time.perf_counter() - started) * 1000:.1f}"
    if not request.scope["path"].startswith("/api/"):
        return total
    return f'db;dur={request.seconds * 1000:.1f};desc="{request.queries} queries", {total}'


def _check_host(host: str) -> None:
    if not _is_served(host, tuple(settings.ALLOWED_HOSTS)):
        raise Invalid("This host name is not served here.")


# A provider comes by one name, time and again.
@lru_cache(maxsize=64)
def _is_served(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def problem(error: DomainError, accept_language: str = "") -> Answer:
    """As it is written for all other roads."""
    language = language_asked(accept_language)
    found = problems.in_words(problems.of(error) or problems.INTERNAL, language)
    headers = [("Content-Language", language), ("Vary", "Accept-Language"), *found.headers.items()]
    if isinstance(error, MethodNotAllowed):
        headers.append(("Allow", ", ".join(error.allowed)))
    return Answer(found.status, problems.encoded(found), problems.CONTENT_TYPE, tuple(headers))


async def _send(send: Send, answer: Answer, timing: str) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"x-request-id", secrets.token_hex(16).encode()),
        (b"x-content-type-options", b"nosniff"),
        *((name.lower().encode(), value.encode()) for name, value in answer.headers),
    ]
    if timing:
        headers.append((b"server-timing", timing.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
