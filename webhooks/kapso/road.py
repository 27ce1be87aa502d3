"""/webhooks/kapso/<channel>: the lean road in. No ORM, no thread, no middleware; the rules are those of every road.

Checked in the contract's order: size, channel, signature, form of the body. Then kept, then answered.
"""

from collections.abc import Mapping
from typing import Any

from config.hot import Answer, MethodNotAllowed, Request, road
from webhooks.bodies import Unreadable, event_key, load_object
from webhooks.channels import Source, admit, kept_headers, printable, source_of
from webhooks.errors import BadSignature, UnreadableBody
from webhooks.journal import Arrival, keep, lane_seen
from webhooks.kapso.payload import turn_of
from webhooks.kapso.signature import challenge, is_genuine

PREFIX = "/webhooks/kapso/"
KIND = "kapso"
MOST = 4 * 1024 * 1024
KEPT_HEADERS = (
    "x-webhook-event",
    "x-idempotency-key",
    "x-webhook-payload-version",
    "x-webhook-batch",
    "x-batch-size",
    "content-type",
    "user-agent",
)
OK = Answer(200, b'{"received":true}')


async def _handle(request: Request, rest: str) -> Answer:
    slug = rest.removesuffix("/")
    if request.method == "GET":
        return await _challenge(request, slug)
    if request.method != "POST":
        raise MethodNotAllowed("GET", "POST")
    source, body = await admit(request, slug, kind=KIND, most=MOST)
    headers = request.headers
    if not is_genuine(
        kapso=headers.get("x-webhook-signature"),
        meta=headers.get("x-hub-signature-256"),
        body=body,
        secrets=source.secrets("webhook_secrets", "app_secrets"),
    ):
        raise BadSignature
    try:
        data = load_object(body)
    except Unreadable as error:
        # The signature was right, so the provider did send this: people must be able to see it.
        await keep(_arrival(source, headers, body, failure=str(error)))
        raise UnreadableBody(str(error)) from None
    await keep(_arrival(source, headers, body, data))
    return OK


def _arrival(
    source: Source, headers: Mapping[str, str], body: bytes, data: dict[str, Any] | None = None, failure: str = ""
) -> Arrival:
    event = printable(headers.get("x-webhook-event", ""))[:80]
    return Arrival(
        provider=KIND,
        channel_id=source.channel_id,
        workspace_id=source.workspace_id,
        event_key=event_key(printable(headers.get("x-idempotency-key", "")), body),
        event=event,
        headers=kept_headers(headers, KEPT_HEADERS),
        body=body,
        failure=failure,
        lane=lane_seen(KIND, source.channel_id, lambda: _lane(source, data, event)) if data else "",
    )


def _lane(source: Source, data: dict[str, Any], event: str) -> str:
    turn = turn_of(data, event)
    return turn.lane(source.channel_id) if turn else ""


async def _challenge(request: Request, slug: str) -> Answer:
    source = await source_of(KIND, slug)
    answer = challenge(request.query, source.secrets("verify_tokens"))
    if answer is None:
        raise BadSignature("The verify token is not this channel's.")
    return Answer(200, answer.encode(), "text/plain; charset=utf-8")


kapso = road(PREFIX, _handle)
