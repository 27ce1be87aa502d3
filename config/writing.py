"""What people write in conversations and chats: the same Django as everywhere, middleware and all, on a few threads
that stay. Django's own handler begins a thread for each request and goes back and forth between it and the loop."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from typing import Any

from django.core import signals
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.urls import set_script_prefix

from config.hot import Scope

# They take turns at the interpreter; more than a few only keep one another from it. What comes meanwhile waits in line.
THREADS = 4
MOST = 1024 * 1024  # bytes, held in memory; the longest text is far below
_PATHS = re.compile(
    r"/api/v1/(?:chats/[0-9a-f-]{36}/(?:messages|read|typing)"
    r"|workspaces/[^/]+/conversations/[0-9a-f-]{36}/(?:messages|read|typing)/?)"
)


def takes(scope: Scope) -> bool:
    """Not of files, which wait for a storage, and nothing that does not say beforehand how small it is."""
    return scope["method"] == "POST" and _PATHS.fullmatch(scope["path"]) is not None and _are_words(scope["headers"])


def _are_words(headers: Any) -> bool:
    said = dict(headers)
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
            request, refused = self.create_request(scope, body)
            response: Any = refused if request is None else self.get_response(request)
            response.close()
            return response
