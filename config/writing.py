"""What people write in conversations and chats, and the conversation that somebody opens: the same Django as
everywhere, middleware and all, on a few threads that stay. Django's own handler begins a thread for each request and
goes back and forth between it and the loop."""

import asyncio
import re
import select
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from typing import Any
from uuid import UUID

from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest
from django.urls import ResolverMatch, set_script_prefix

from config.hot import Scope

# They take turns at the interpreter; more than a few only keep one another from it. What comes meanwhile waits in line.
THREADS = 4
_OF_BODIES = (b"content-length", b"transfer-encoding")
MOST = 1024 * 1024  # bytes, held in memory; the longest text is far below
# A thread keeps its connection for so long; fetching one from the pool, which tries it first, costs as much as a query.
KEPT_SECONDS = 30.0
_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATHS = re.compile(
    rf"/api/v1/(?:chats/(?P<chat>{_ID})/(?P<by_guest>messages|read|typing)"
    rf"|workspaces/(?P<workspace>[^/]+)/conversations/(?P<conversation>{_ID})/(?:(?P<by_member>messages|read|typing)/)?)"
)


def takes(scope: Scope) -> bool:
    """Not of files, which wait for a storage, and nothing that does not say beforehand how small it is."""
    if scope["method"] not in ("GET", "POST"):
        return False
    found = _PATHS.fullmatch(scope["path"])
    if found is None:
        return False
    said = dict(scope["headers"])
    if scope["method"] == "POST":
        return bool(found["by_guest"] or found["by_member"]) and _are_words(said)
    opens = found["conversation"] is not None and found["by_member"] in (None, "messages")
    return opens and said.keys().isdisjoint(_OF_BODIES)


def _are_words(said: dict[bytes, bytes]) -> bool:
    length = said.get(b"content-length", b"")
    is_json: bool = said.get(b"content-type", b"").startswith(b"application/json")
    return is_json and length.isdigit() and int(length) <= MOST


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="writing")


class Handler(ASGIHandler):
    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=False)
        self._known: dict[tuple[str | None, str | None], ResolverMatch] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = BytesIO()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body.write(message.get("body", b""))
            if not message.get("more_body"):
                break
        body.seek(0)
        response = await asyncio.get_running_loop().run_in_executor(_threads(), self._answer, scope, body)
        await self.send_response(response, send)

    def _answer(self, scope: Any, body: BytesIO) -> Any:
        """As under WSGI. Closing the answer gives the connection back; what it says is whole by then."""
        with body:
            set_script_prefix(get_script_prefix(scope))
            signals.request_started.send(sender=type(self), scope=scope)
            _look_at_connection()
            request, refused = self.create_request(scope, body)
            response: Any = refused if request is None else self.get_response(request)
            _keep_connection()
            response.close()
            return response

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """What Django's resolver said of the first of each kind: it tries some hundred patterns for each address."""
        found = _PATHS.fullmatch(request.path_info)
        if found is None:
            return super().resolve_request(request)
        parts = found.groupdict()
        kind = parts.pop("by_guest"), parts.pop("by_member")
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = super().resolve_request(request)
            return known
        kwargs = {name: part if name == "workspace" else UUID(part) for name, part in parts.items() if part}
        match = ResolverMatch(known.func, (), kwargs, route=known.route, captured_kwargs=kwargs)
        request.resolver_match = match
        return match


def _look_at_connection() -> None:
    """An idle connection that has something to read was most likely closed by the server: the pool sees to it. Else it
    is good, and Django need not ask the server whether it is."""
    own = connections[DEFAULT_DB_ALIAS]
    if own.connection is None:
        return
    poll = select.poll()
    poll.register(own.connection.fileno(), select.POLLIN)
    if poll.poll(0):
        own.close()
    else:
        own.health_check_done = True  # type: ignore[attr-defined]  # of its own sort


def _keep_connection() -> None:
    """Django would give it back with the answer. One in which something went wrong still goes."""
    own, now = connections[DEFAULT_DB_ALIAS], time.monotonic()
    if own.connection is not None and own.close_at is not None and own.close_at <= now and not own.errors_occurred:
        own.close_at = now + KEPT_SECONDS
