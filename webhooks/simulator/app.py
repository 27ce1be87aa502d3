"""The simulator's HTTP side: a small ASGI application. Routes, reads, answers, and breaks connections when told to."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from webhooks.simulator import control, kapso
from webhooks.simulator.behaviour import Wrong
from webhooks.simulator.replies import Refused, Reply
from webhooks.simulator.state import Number
from webhooks.simulator.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_LIMIT = 1024 * 1024
_KAPSO = re.compile(r"/meta/whatsapp/v[0-9]+\.[0-9]+/([^/]+)(?:/([a-z]+))?")
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?")
# How long a call that gets no answer is held when the caller does not hang up.
SILENCE_SECONDS = 120.0


class BreakOff(Exception):
    """The connection is to end without an answer; `after` says how long to keep silent before."""

    def __init__(self, after: float = 0.0) -> None:
        super().__init__()
        self.after = after


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
            reply = await self._answer(scope, receive)
        except Refused as refused:
            reply = refused.reply
        except Wrong as wrong:
            reply = Reply({"error": str(wrong)}, 400)
        except BreakOff as end:
            await _break_off(end.after, receive, send)
            return
        await _send(reply, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        raw = await _body(receive)
        method, path = scope["method"], scope["path"]
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if path.startswith("/_control/"):
            # A web page may not steer the simulator by a name that points here.
            if not _LOOPBACK.fullmatch(headers.get("host", "")):
                raise Wrong("The control is for this machine only.")
            return await control.answer(self.world, method, path.removeprefix("/_control/"), query, raw)
        match = _KAPSO.fullmatch(path)
        if match:
            kapso.authorised(self.world.ledger, headers)
            return await self._kapso(method, match[1], match[2] or "", query, raw)
        return Reply({"error": "Not found", "message": "The simulator has no such address."}, 404)

    async def _kapso(self, method: str, target: str, part: str, query: dict[str, str], raw: bytes) -> Reply:
        ledger = self.world.ledger
        if part == "media" or (not part and "phone_number_id" in query):
            return Reply({"error": "Not found", "message": "The simulator keeps no media yet."}, 404)
        number = kapso.number_of(ledger, target, method)
        if method == "GET" and not part:
            return kapso.describe(number)
        if method == "GET" and part == "messages":
            return kapso.listing(ledger, number, query, echo=self.world.behaviour.echo == "on")
        if method == "POST" and part == "messages":
            return await self._send_message(number, raw)
        return Reply({"error": "Not found", "message": "The simulator has no such address."}, 404)

    async def _send_message(self, number: Number, raw: bytes) -> Reply:
        world = self.world
        message = kapso.checked(number, raw, world.behaviour)
        if message is None:
            return Reply({"success": True})
        fail, world.behaviour = world.behaviour.failure(world.chance)
        behaviour = world.behaviour
        if fail == "drop_before":
            raise BreakOff
        kapso.refuse(fail, behaviour)
        world.accept(message)
        if fail == "drop_after_accept":
            raise BreakOff
        if fail == "timeout":
            raise BreakOff(after=SILENCE_SECONDS)
        if fail == "500_after_accept":
            kapso.refuse("500", behaviour)
        await asyncio.sleep(behaviour.latency_ms / 1000)
        return kapso.accepted(message)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise BreakOff
        body += bytes(part.get("body", b""))
        if len(body) > BODY_LIMIT:
            raise Refused(Reply({"error": "Payload too large", "message": "The body is too large."}, 413))
        if not part.get("more_body"):
            return body


async def _send(reply: Reply, send: Send) -> None:
    body = orjson.dumps(reply.data)
    headers = {"content-type": "application/json", "content-length": str(len(body)), **reply.headers}
    named = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": named})
    await send({"type": "http.response.body", "body": body})


async def _break_off(after: float, receive: Receive, send: Send) -> None:
    """ASGI has no word for it, so the server's own transport is taken from behind `send` and cut."""
    gone = asyncio.ensure_future(receive())
    await asyncio.wait({gone}, timeout=after)
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
    await gone
