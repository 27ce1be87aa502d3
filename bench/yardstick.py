"""The yardstick: the same work by hand in FastAPI and asyncpg, one process, uvloop and httptools.

Kept plain and quick: no middleware, no models on the hot paths, no log lines. What the product does beyond this
(permissions, tenants, replay from the log, limits for slow readers, waking a worker) it does on its own time.
"""

import asyncio
import hashlib
import hmac
import os
import socket
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from redis.asyncio import Redis

CONNECTIONS = 10  # asyncpg's own default
BOX = 256  # frames that may wait for one socket
KEPT_HEADERS = ("x-webhook-event", "x-idempotency-key", "x-webhook-payload-version", "content-type", "user-agent")
KEEP = """
with kept as (
    insert into webhooks_delivery
        (provider, channel_id, workspace_id, event_key, event, headers, body, received_at, state, outcome)
    values ('kapso', $1, $2, $3, $4, $5, $6, now(), 'kept', '{}')
    on conflict do nothing
    returning id, workspace_id
)
insert into job (key, type, lane, workspace_id, payload, max_attempts, outgoing, next_attempt)
select 'delivery:' || id, 'webhooks.unpack_delivery', '', workspace_id, jsonb_build_object('delivery_id', id), 8,
    false, now()
from kept
on conflict (key) do nothing
"""


class Live:
    """One Redis subscription for the process and topic; a queue and a writer for every socket."""

    def __init__(self, redis: "Redis") -> None:
        self.pubsub = redis.pubsub()
        self.queues: dict[str, set[asyncio.Queue[str | None]]] = defaultdict(set)
        self.reader: asyncio.Task[None] | None = None

    async def follow(self, topic: str, queue: "asyncio.Queue[str | None]") -> None:
        first = topic not in self.queues
        self.queues[topic].add(queue)
        if first:
            await self.pubsub.subscribe(topic)
        if first and self.reader is None:
            self.reader = asyncio.create_task(self.read())

    def leave(self, queue: "asyncio.Queue[str | None]") -> None:
        for queues in self.queues.values():
            queues.discard(queue)

    async def read(self) -> None:
        async for message in self.pubsub.listen():
            if message["type"] != "message":
                continue
            frame = message["data"].decode()
            for queue in tuple(self.queues[message["channel"].decode()]):
                try:
                    queue.put_nowait(frame)
                except asyncio.QueueFull:
                    self.leave(queue)
                    queue.get_nowait()
                    queue.put_nowait(None)


pool: Any
live: Live
channels: dict[str, Any] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    global pool, live
    pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=CONNECTIONS, max_size=CONNECTIONS)
    live = Live(Redis.from_url(os.environ["REDIS_URL"]))
    channels.update({row["slug"]: row for row in await pool.fetch("select * from channel")})
    yield
    if live.reader is not None:
        live.reader.cancel()
    await live.pubsub.aclose()
    await pool.close()


app = FastAPI(lifespan=lifespan, openapi_url=None)


@app.get("/healthz")
async def healthz() -> Response:
    return Response(b"ok")


@app.post("/webhooks/kapso/{slug}")
async def kapso(slug: str, request: Request) -> Response:
    body = await request.body()
    channel = channels.get(slug)
    if channel is None:
        raise HTTPException(404)
    headers = request.headers
    expected = hmac.digest(channel["secret"].encode(), body, hashlib.sha256).hex()
    if not hmac.compare_digest(headers.get("x-webhook-signature", ""), expected):
        raise HTTPException(401)
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise HTTPException(400) from None
    if not isinstance(data, dict):
        raise HTTPException(400)
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    key, event = headers.get("x-idempotency-key", ""), headers.get("x-webhook-event", "")
    await pool.execute(KEEP, channel["id"], channel["workspace_id"], key, event, orjson.dumps(kept).decode(), body)
    return Response(b'{"received":true}', media_type="application/json")


@app.websocket("/ws/live")
async def ws_live(browser: WebSocket) -> None:
    await browser.accept(subprotocol="live.v1")
    queue: asyncio.Queue[str | None] = asyncio.Queue(BOX)
    writer = asyncio.create_task(_write(browser, queue))
    try:
        while True:
            frame = orjson.loads(await browser.receive_text())
            if frame["op"] == "subscribe":
                await _subscribe(frame["topic"], queue)
    except WebSocketDisconnect:
        pass
    finally:
        live.leave(queue)
        writer.cancel()


async def _subscribe(topic: str, queue: "asyncio.Queue[str | None]") -> None:
    await live.follow(topic, queue)
    seq = await pool.fetchval("select seq from live_topic where name = $1", topic) or 0
    queue.put_nowait(orjson.dumps({"op": "subscribed", "topic": topic, "seq": seq}).decode())


async def _write(browser: WebSocket, queue: "asyncio.Queue[str | None]") -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while (frame := await queue.get()) is not None:
            await browser.send_text(frame)
        await browser.close(1013)


if __name__ == "__main__":
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, log_level="warning", timeout_graceful_shutdown=2
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
