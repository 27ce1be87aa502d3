"""/webhooks/stripe: checked in the contract's order (size, signature, form of the body), then kept, then answered."""

import threading

from django.conf import settings

from config.hot import Answer, MethodNotAllowed, Request, road
from webhooks import installation
from webhooks.errors import BadSignature
from webhooks.installation import Told
from webhooks.journal import lane_seen
from webhooks.stripe import facts, payload, signature

PREFIX = "/webhooks/stripe"
PROVIDER = "stripe"
# After the start, so that neither the start nor the first delivery waits for the library.
WARM_AFTER_SECONDS = 2.0


async def _handle(request: Request, rest: str) -> Answer:
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    body = await installation.body_of(request, rest)
    header = request.headers.get(signature.HEADER, "")
    if not header or not signature.is_genuine(header=header, body=body, secrets=settings.STRIPE_WEBHOOK_SECRETS):
        raise BadSignature
    return await installation.receive(PROVIDER, settings.STRIPE_WORKSPACE, request.headers, body, _told)


def _told(body: bytes) -> Told:
    event = payload.read(body)
    return Told(event.id, event.type, lane_seen(PROVIDER, None, lambda: facts.lane_of(event.object or {})))


def warm() -> None:
    if settings.STRIPE_WEBHOOK_SECRETS:
        timer = threading.Timer(WARM_AFTER_SECONDS, signature.verifier)
        timer.daemon = True
        timer.start()


stripe = road(PREFIX, _handle)
