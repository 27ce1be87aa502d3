"""/webhooks/twilio/<channel> and its /status: what customers write, and what became of what we wrote.

A hot road like Kapso's. Checked in the contract's order: size, channel, signature, form of the body; then kept, then
answered in TwiML, which says nothing: replies go their own way.
"""

from dataclasses import dataclass

from django.conf import settings

from config.hot import Answer, MethodNotAllowed, Request, road
from webhooks.channels import Source, admit, kept_headers, printable, source_of
from webhooks.errors import BadSignature, UnreadableBody
from webhooks.journal import Arrival, keep
from webhooks.twilio.form import FORM, NotAForm, Parameters, is_form, read_form, read_json
from webhooks.twilio.payload import digest_key, event_key, event_of, read_item
from webhooks.twilio.signature import BODY_HASH, SETTINGS, SIGNATURE, is_genuine

PREFIX = "/webhooks/twilio/"
KIND = "twilio"
MOST = 1024 * 1024
IDEMPOTENCY_TOKEN = "i-twilio-idempotency-token"  # noqa: S105  # a header's name
KEPT_HEADERS = ("content-type", IDEMPOTENCY_TOKEN, "user-agent")
OK = Answer(200, b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>', "text/xml")
EMPTY = "The form is empty."
UNSIGNED = "The signature does not cover this body."


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its parameters in the body or, by GET, in the address."""

    source: Source
    request: Request
    body: bytes
    content_type: str


async def _handle(request: Request, rest: str) -> Answer:
    slug = rest.removesuffix("/").removesuffix("/status")
    if request.method == "POST":
        source, body = await admit(request, slug, kind=KIND, most=MOST)
        call = Call(source, request, body, request.headers.get("content-type", ""))
        genuine = _is_genuine(call, body)
    elif request.method == "GET":
        # For accounts set to GET. The address carries the parameters, so signing it covers them.
        source = await source_of(KIND, slug)
        call = Call(source, request, bytes(request.scope["query_string"]), FORM)
        genuine = _is_genuine(call, b"")
    else:
        raise MethodNotAllowed("GET", "POST")
    if not genuine:
        raise BadSignature
    await _keep(call)
    return OK


def _is_genuine(call: Call, body: bytes) -> bool:
    headers = call.request.headers
    shared = call.source.credentials.get("shared_keys")
    return is_genuine(
        url=signed_url(call.request),
        body=body,
        content_type=call.content_type if body else "",
        signature=headers.get(SIGNATURE),
        settings=headers.get(SETTINGS),
        auth_tokens=call.source.secrets("auth_tokens", "auth_token"),
        shared_keys=shared if isinstance(shared, dict) else {},
    )


def signed_url(request: Request) -> str:
    """The address Twilio was given. Never from the Host header: whoever sends may write there what they like."""
    path = bytes(request.scope.get("raw_path") or request.scope["path"].encode()).partition(b"?")[0]
    query = bytes(request.scope["query_string"])
    return settings.PUBLIC_URL.rstrip("/") + (path + (b"?" + query if query else b"")).decode("latin-1")


async def _keep(call: Call) -> None:
    try:
        parameters = read_parameters(call.body, call.content_type)
        if not is_covered(call):
            raise NotAForm(UNSIGNED)
    except NotAForm as error:
        # The signature was right, so Twilio did send this: people must be able to see it.
        await keep(_arrival(call, event_key=digest_key(call.body), failure=str(error)))
        raise UnreadableBody(str(error)) from None
    item = read_item(parameters)
    token = printable(call.request.headers.get(IDEMPOTENCY_TOKEN, ""))
    lane = item.lane(call.source.channel_id)
    await keep(_arrival(call, event_key=event_key(item, token, call.body), event=event_of(item), lane=lane))


def is_covered(call: Call) -> bool:
    """A form's parameters are signed with the address; any other body only where the address holds its hash."""
    return is_form(call.content_type) or BODY_HASH in call.request.query


def read_parameters(body: bytes, content_type: str) -> Parameters:
    """Raises NotAForm. JSON is what an account may have its webhooks set to."""
    if not is_form(content_type):
        return read_json(body)
    parameters = read_form(body, content_type)
    if not len(parameters):
        raise NotAForm(EMPTY)
    return parameters


def _arrival(call: Call, *, event_key: str, event: str = "", lane: str = "", failure: str = "") -> Arrival:
    return Arrival(
        provider=KIND,
        channel_id=call.source.channel_id,
        workspace_id=call.source.workspace_id,
        event_key=event_key[:255],
        event=event[:80],
        headers={**kept_headers(call.request.headers, KEPT_HEADERS), "content-type": call.content_type[:300]},
        body=call.body,
        failure=failure,
        lane=lane,
    )


twilio = road(PREFIX, _handle)
