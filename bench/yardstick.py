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
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from provider_requests import STANDARD_KEY, STRIPE_SECRET, TWILIO_TOKEN
from redis.asyncio import Redis

CONNECTIONS = 10  # asyncpg's own default
BOX = 256  # frames that may wait for one socket
KEPT_HEADERS = ("x-webhook-event", "x-idempotency-key", "x-webhook-payload-version", "content-type", "user-agent")
PUBLIC_URL = os.environ.get("PUBLIC_URL", "")
TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
KEEP = """
with kept as (
    insert into webhooks_delivery
        (provider, channel_id, workspace_id, event_key, event, headers, body, received_at, state, outcome)
    values ($7, $1, $2, $3, $4, $5, $6, now(), 'kept', '{}')
    on conflict do nothing
    returning id, workspace_id
)
insert into job (key, type, lane, workspace_id, payload, max_attempts, outgoing, next_attempt)
select 'delivery:' || id, 'webhooks.unpack_delivery', '', workspace_id, jsonb_build_object('delivery_id', id), 8,
    false, now()
from kept
on conflict (key) do nothing
"""
# The key by its digest, the person by the number, and what there is to know of them: the product's own answer, written
# the way one writes it by hand. `context.py` compares the two before it measures.
_USER = "json_build_object('id', {0}.id, 'name', coalesce(nullif({0}.name, ''), split_part({0}.email, '@', 1)))"
_SENDER = """json_build_object('kind', {0}.sender_kind,
    'id', case when {0}.sender_kind = 'contact' then c.id else {1}.id end,
    'name', case when {0}.sender_kind = 'contact' then c.name
        else coalesce(nullif({1}.name, ''), split_part({1}.email, '@', 1), '') end)"""
_ERROR = """case when {0}.error_message <> ''
    then json_build_object('code', {0}.error_code, 'message', {0}.error_message) end"""
CONTEXT = f"""
select json_build_object(
    'contact', json_build_object('id', c.id, 'phone', c.phone, 'phone_normalized', c.phone_normalized, 'name', c.name,
        'email', c.email, 'lead_status', c.lead_status, 'lead_score', c.lead_score, 'tags', c.tags,
        'metadata', c.metadata, 'attributes', c.attributes,
        'owner', case when o.id is not null then {_USER.format("o")} end,
        'identities', coalesce((select json_agg(json_build_object('kind', i.kind, 'value', i.value)
            order by i.kind, i.value)
            from crm_contactidentity i where i.contact_id = c.id and i.kind <> 'match'), '[]'),
        'created_at', c.created_at, 'updated_at', c.updated_at, 'deleted_at', c.deleted_at),
    'profile', (select to_json(p) from (select first_name, relationship, zip_code, journey_phase, burnout_score,
        burnout_band, pressure_zones, last_contact_at, assessment, updated_at
        from crm_contactprofile where contact_id = c.id) p),
    'state', (select to_json(s) from (select recent_messages, historical_summary, conversation_started_at,
        total_interactions, last_message_at, updated_at from crm_contactmemory where contact_id = c.id) s),
    'billing', (select to_json(b) from (select id, status, status in ('past_due', 'unpaid') as past_due, price_id,
        quantity, trial_ends_at, period_end, cancels_at, canceled_at, ended_at, collection_paused,
        collection_resumes_at, payment_failed_at, updated_at
        from crm_billingaccount where contact_id = c.id
        order by subscription_created_at desc nulls last, id desc limit 1) b),
    'conversation', case when t.id is not null then json_build_object('id', t.id,
        'contact', json_build_object('id', c.id, 'name', c.name, 'phone', c.phone_normalized),
        'channel', json_build_object('id', h.id, 'name', h.name, 'slug', h.slug, 'kind', h.kind),
        'scope', t.scope, 'status', t.status, 'assignee', case when a.id is not null then {_USER.format("a")} end,
        'team', (select json_build_object('id', g.id, 'name', g.name) from crm_team g where g.id = t.team_id),
        'snoozed_until', t.snoozed_until, 'is_spam', t.spam_at is not null, 'priority', t.priority,
        'labels', coalesce((select json_agg(json_build_object('name', l.name, 'hue', l.hue) order by l.name)
            from inbox_conversationlabel x join inbox_label l on l.id = x.label_id
            where x.conversation_id = t.id), '[]'),
        'inbound_count', t.inbound_count,
        'last_message', (select json_build_object('id', n.id, 'direction', n.direction, 'type', n.type,
            'body', left(n.body, 200), 'status', n.status, 'sender', {_SENDER.format("n", "v")},
            'error', {_ERROR.format("n")}, 'created_at', n.created_at)
            from inbox_message n left join crm_user v on v.id = n.sender_user_id where n.id = t.last_message_id),
        'last_activity_at', t.last_activity_at, 'waiting_since', t.waiting_since,
        'window', json_build_object('open', coalesce(t.last_inbound_at > now() - interval '24 hours', false),
            'closes_at', t.last_inbound_at + interval '24 hours'),
        'planned_state', nullif(t.planned_state, ''),
        'created_at', t.created_at, 'updated_at', t.updated_at,
        'unread_count', t.inbound_count, 'seen_count', 0) end,
    'messages', coalesce((select json_agg(m) from (select m.id, m.conversation_id as conversation, m.client_id,
        m.provider_id, m.direction, {_SENDER.format("m", "v")} as sender, m.type, m.body,
        coalesce((select json_agg(json_build_object('id', f.id, 'kind', f.kind, 'name', f.name,
            'content_type', f.content_type, 'size', f.size, 'state', f.state,
            'url', case when f.state = 'stored'
                then '/api/v1/workspaces/' || w.slug || '/attachments/' || f.id || '/' end,
            'error', case when f.state = 'failed' then {_ERROR.format("f")} end) order by f.position)
            from inbox_attachment f where f.message_id = m.id), '[]') as attachments,
        m.reply_to_id as reply_to, m.status, {_ERROR.format("m")} as error,
        case when m.direction = 'in' then '{{}}' else json_strip_nulls(json_build_object('queued', m.created_at,
            'sent', m.sent_at, 'delivered', m.delivered_at, 'read', m.read_at, 'failed', m.failed_at)) end
            as status_times,
        m.provider_time, m.edited_at, m.detail, m.created_at
        from inbox_message m left join crm_user v on v.id = m.sender_user_id
        where m.conversation_id = t.id and m.deleted_at is null and m.direction in ('in', 'out')
        order by m.id desc limit 20) m), '[]'),
    'notes', coalesce((select json_agg(n) from (
        select n.id, c.id as contact, n.conversation,
            case when v.id is not null then {_USER.format("v")} end as author, n.body, n.mentions, n.created_at,
            n.updated_at
        from (
            select id, null::uuid as conversation, author_id, body, mentions, created_at, updated_at
            from crm_contactnote where contact_id = c.id and deleted_at is null
            union all
            select id, conversation_id, sender_user_id, body, array[]::uuid[], created_at, updated_at
            from inbox_message where conversation_id = t.id and deleted_at is null and direction = 'note'
        ) n left join crm_user v on v.id = n.author_id order by n.id desc limit 20) n), '[]'),
    'window', json_build_object('open', coalesce(t.last_inbound_at > now() - interval '24 hours', false),
        'closes_at', t.last_inbound_at + interval '24 hours'),
    'allowed_actions', case when t.id is null then '[]'::json
        when t.last_inbound_at > now() - interval '24 hours' then '["reply","note"]'::json
        else '["send_template","note"]'::json end
)
from crm_apikey k
join crm_workspace w on w.id = k.workspace_id and w.slug = $2
join crm_member r on r.workspace_id = w.id and r.user_id = k.created_by_id and r.role <> 'student'
join crm_user y on y.id = k.created_by_id and y.deactivated_at is null
join crm_contact c on c.workspace_id = w.id and c.phone_normalized = $3 and c.deleted_at is null
    and c.phone_normalized <> ''
left join crm_user o on o.id = c.owner_id
left join lateral (
    select * from inbox_conversation t
    where t.contact_id = c.id and t.scope = 'support' and t.deleted_at is null and t.merged_into_id is null
    order by t.last_activity_at desc limit 1
) t on true
left join inbox_channel h on h.id = t.channel_id
left join crm_user a on a.id = t.assignee_id
where k.digest = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
    and 'read_inbox' = any(k.scopes)
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
    key, event = headers.get("x-idempotency-key", ""), headers.get("x-webhook-event", "")
    await _keep("kapso", channel, key, event, request, body)
    return Response(b'{"received":true}', media_type="application/json")


@app.post("/webhooks/twilio/{slug}")
async def twilio(slug: str, request: Request) -> Response:
    body = await request.body()
    channel = channels.get("bench-kapso")
    if channel is None:
        raise HTTPException(404)
    fields = parse_qsl(body.decode(), keep_blank_values=True)
    signed = PUBLIC_URL + request.url.path + "".join(name + value for name, value in sorted(fields))
    digest = b64encode(hmac.digest(TWILIO_TOKEN.encode(), signed.encode(), hashlib.sha1)).decode()
    if not hmac.compare_digest(request.headers.get("x-twilio-signature", ""), digest):
        raise HTTPException(401)
    await _keep("twilio", channel, dict(fields)["MessageSid"], "message", request, body)
    return Response(TWIML, media_type="text/xml")


@app.post("/webhooks/stripe")
async def stripe(request: Request) -> Response:
    body = await request.body()
    parts = dict(part.split("=", 1) for part in request.headers.get("stripe-signature", "").split(","))
    digest = hmac.digest(STRIPE_SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hex()
    if abs(time.time() - int(parts["t"])) > 300 or not hmac.compare_digest(parts["v1"], digest):
        raise HTTPException(401)
    event = orjson.loads(body)
    await _keep("stripe", channels["bench-kapso"], event["id"], event["type"], request, body)
    return Response(b'{"received":true}', media_type="application/json")


@app.post("/webhooks/identity")
async def identity(request: Request) -> Response:
    return await _standard("identity", "svix", request)


@app.post("/webhooks/scores")
async def scores(request: Request) -> Response:
    return await _standard("scores", "webhook", request)


async def _standard(provider: str, prefix: str, request: Request) -> Response:
    body = await request.body()
    name, at, claims = (request.headers.get(f"{prefix}-{part}", "") for part in ("id", "timestamp", "signature"))
    digest = b64encode(hmac.digest(STANDARD_KEY, f"{name}.{at}.".encode() + body, hashlib.sha256)).decode()
    if abs(time.time() - int(at)) > 300 or not hmac.compare_digest(claims, f"v1,{digest}"):
        raise HTTPException(401)
    event = orjson.loads(body)
    await _keep(provider, channels["bench-kapso"], name, event.get("type", "score"), request, body)
    return Response(b'{"received":true}', media_type="application/json")


@app.get("/api/v1/workspaces/{slug}/contacts/context")
async def context(slug: str, phone: str, request: Request) -> Response:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    number = "+" + "".join(character for character in phone if character.isdigit())
    found = await pool.fetchval(CONTEXT, hashlib.sha256(key.encode()).digest(), slug, number)
    if found is None:
        raise HTTPException(404)
    return Response(found, media_type="application/json")


async def _keep(provider: str, channel: Any, key: str, event: str, request: Request, body: bytes) -> None:
    headers = orjson.dumps({name: request.headers[name] for name in KEPT_HEADERS if name in request.headers}).decode()
    await pool.execute(KEEP, channel["id"], channel["workspace_id"], key, event, headers, body, provider)


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
