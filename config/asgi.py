"""The one door: hot roads by path, Django for the rest of HTTP, the live socket for WebSockets."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

from django.urls import get_resolver  # noqa: E402

from config import metrics, writing  # noqa: E402  # settings and apps must be loaded first
from config.live import socket  # noqa: E402
from inbox.context.road import context, takes  # noqa: E402
from proctoring.beats.road import heartbeat, is_heartbeat  # noqa: E402
from webhooks.identity.road import identity  # noqa: E402
from webhooks.kapso.road import kapso  # noqa: E402
from webhooks.scores.road import scores  # noqa: E402
from webhooks.stripe.road import stripe, warm  # noqa: E402
from webhooks.twilio.road import twilio  # noqa: E402

ROADS = (kapso, twilio, stripe, identity, scores)


async def http(scope: Any, receive: Any, send: Any) -> None:
    for road in ROADS:
        if scope["path"].startswith(road.prefix):
            return await road(scope, receive, send)
    if takes(scope):  # the rest of what is below its prefix is Django's
        return await context(scope, receive, send)
    if is_heartbeat(scope["path"]):
        return await heartbeat(scope, receive, send)
    if writing.takes(scope):
        return await writing_application(scope, receive, send)
    return await django_application(scope, receive, send)


# All pages with what they need: the first request, behind which everything else would wait, shall not load them.
_ = get_resolver().url_patterns

writing_application = writing.Handler()
warm()
application = ProtocolTypeRouter({"http": http, "websocket": metrics.counting_sockets(socket.application)})
