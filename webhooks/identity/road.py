"""/webhooks/identity: checked in the contract's order (size, signature, form of the body), then kept, then answered."""

from functools import partial

from django.conf import settings

from config.hot import Answer, MethodNotAllowed, Request, road
from webhooks import installation
from webhooks.bodies import event_key
from webhooks.errors import BadSignature
from webhooks.identity import payload
from webhooks.installation import Told
from webhooks.journal import lane_seen
from webhooks.standard.signature import Signed, is_genuine, signed

PREFIX = "/webhooks/identity"
PROVIDER = "identity"


async def _handle(request: Request, rest: str) -> Answer:
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    body = await installation.body_of(request, rest)
    given = signed(request.headers)
    if given is None or not is_genuine(given, body, settings.IDENTITY_WEBHOOK_SECRETS):
        raise BadSignature
    return await installation.receive(
        PROVIDER, settings.IDENTITY_WORKSPACE, request.headers, body, partial(_told, given)
    )


def _told(given: Signed, body: bytes) -> Told:
    event = payload.read(body)
    # Supabase's Auth server makes a new id for every attempt; what stays is in the body.
    lane = lane_seen(PROVIDER, None, lambda: payload.lane_of(payload.item_of(event)))
    return Told(event_key(event.own_id or given.id, body), event.type, lane)


identity = road(PREFIX, _handle)
