"""The simulator's HTTP side: a small ASGI application. Reads, hands to a provider's routes, answers, breaks off."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from webhooks.simulator import control, kapso_routes, stripe, twilio_routes
from webhooks.simulator.behaviour import Wrong
from webhooks.simulator.calls import BreakOff, Call
from webhooks.simulator.files import BLOB_PATH, MEDIA_PATH
from webhooks.simulator.replies import Refused, Reply
from webhooks.simulator.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_LIMIT = 1024 * 1024
HELD = 0.05  # seconds between two looks whether a file may go
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?")


class Simulator:
    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.world.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.world.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reply = await self._answer(await _call(scope, receive))
        except Refused as refused:
            reply = refused.reply
        except Wrong as wrong:
            reply = Reply({"error": str(wrong)}, 400)
        except BreakOff as end:
            await _break_off(end.after, receive, send)
            return
        await _send(reply, send, head=scope["method"] == "HEAD")

    async def _answer(self, call: Call) -> Reply:
        world, path = self.world, call.path
        if path.startswith("/_control/"):
            # A web page may not steer the simulator by a name that points here.
            if not _LOOPBACK.fullmatch(call.headers.get("host", "")):
                raise Wrong("The control is for this machine only.")
            return await control.answer(world, call.method, path.removeprefix("/_control/"), call.query, call.body)
        if kapso_routes.is_for_kapso(path):
            return await kapso_routes.answer(world, call)
        if twilio_routes.is_for_twilio(path):
            return await twilio_routes.answer(world, call)
        if stripe.is_for_stripe(path):
            return await stripe.answer(world, call)
        while world.behaviour.files == "held":  # noqa: ASYNC110  # how to behave is a value, told anew as a whole
            await asyncio.sleep(HELD)
        return self._file(call) or kapso_routes.NOWHERE

    def _file(self, call: Call) -> Reply | None:
        """The storages behind Kapso and Twilio: whoever knows the address may read. Kapso's leads on first."""
        for prefix in (BLOB_PATH, MEDIA_PATH):
            if call.path.startswith(prefix) and call.method in {"GET", "HEAD"}:
                file = self.world.files.by_token(call.path.removeprefix(prefix).partition("/")[0])
                content = self.world.files.read(file) if file else None
                if file is None or content is None:
                    return None
                if prefix == BLOB_PATH:
                    return Reply({}, 302, {"Location": self.world.files.storage_url(file)}, content=b"")
                return Reply({}, headers={"Content-Type": file.content_type}, content=content)
        return None


async def _call(scope: Scope, receive: Receive) -> Call:
    limit = kapso_routes.UPLOAD_LIMIT if scope["path"].endswith("/media") else BODY_LIMIT
    return Call(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"))),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=await _body(receive, limit),
    )


async def _body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise BreakOff
        body += part.get("body", b"")
        if len(body) > limit:
            raise Refused(Reply({"error": "Payload too large", "message": "The body is too large."}, 413))
        if not part.get("more_body"):
            return bytes(body)


async def _send(reply: Reply, send: Send, *, head: bool) -> None:
    body = orjson.dumps(reply.data) if reply.content is None else reply.content
    headers = {"content-type": "application/json"} | {name.lower(): value for name, value in reply.headers.items()}
    headers["content-length"] = str(len(body))
    named = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": named})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def _break_off(after: float, receive: Receive, send: Send) -> None:
    """ASGI has no word for it, so the server's own transport is taken from behind `send` and cut."""
    gone = asyncio.ensure_future(receive())
    await asyncio.wait({gone}, timeout=after)
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
    await gone
