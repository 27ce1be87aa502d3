"""The application of the servers that these tests start: the real socket, with topics and people made up for the tests.

A token is `<name>` or `<name>~<epoch seconds at which it expires>`; so is the cookie `who`. What a person may listen to
stands in the database, as LiveTopic rows that nothing else uses.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import replace

import django
from channels.routing import ProtocolTypeRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from config.errors import NotSignedIn  # noqa: E402
from config.live import hub, socket, topics  # noqa: E402
from config.live.identity import Identity, register_authenticator  # noqa: E402
from config.live.models import LiveTopic  # noqa: E402
from config.live.presence import Who  # noqa: E402


def from_bearer(token: str) -> Identity:
    name, _, expires = token.partition("~")
    if not name or name == "wrong" or is_marked(f"gone.{name}"):
        raise NotSignedIn
    expires_at = float(expires) if expires else None
    if expires_at is not None and expires_at < time.time():
        raise NotSignedIn
    return Identity(user_id=None, subject=f"user:{name}", expires_at=expires_at, actor=name)


def from_cookies(cookies: Mapping[str, str]) -> Identity | None:
    try:
        return from_bearer(cookies.get("who", ""))
    except NotSignedIn:
        return None


def renew(cookies: Mapping[str, str]) -> Identity | None:
    """The session on the server outlives the cookie that was sent along with the handshake."""
    name = cookies.get("who", "").partition("~")[0]
    if not name or is_marked(f"session-over.{name}"):
        return None
    return Identity(user_id=None, subject=f"user:{name}", expires_at=time.time() + 60, actor=name)


def reload(identity: Identity) -> Identity | None:
    return None if is_marked(f"gone.{identity.actor}") else replace(identity, actor=str(identity.actor))


def describe(identity: Identity) -> Mapping[str, object]:
    return {"user": {"id": identity.subject, "name": str(identity.actor).title()}}


def mark(name: str) -> None:
    LiveTopic.objects.create(name=f"mark.{name}", seq=0)


def is_marked(name: str) -> bool:
    return LiveTopic.objects.filter(name=f"mark.{name}").exists()


def may_listen(identity: Identity | None, rest: str) -> bool:
    return identity is not None and not is_marked(f"revoked.{identity.actor}.{rest}")


def anybody(identity: Identity | None, rest: str) -> bool:
    return rest != "hidden"


def show(identity: Identity, rest: str) -> Who | None:
    return None if identity.actor == "ghost" else Who(str(identity.actor), "member", str(identity.actor).title())


# The tests that wait for heads wait less; that they come every three seconds is asserted where it matters.
hub.HEADS_SECONDS = 1.0
register_authenticator(from_bearer, from_cookies, renew, reload, describe)
topics.register("test", may_listen, signals=("typing",))
topics.register("board", anybody, public=True)
topics.register("presence.test", may_listen, presence=show)


async def http(scope, receive, send) -> None:
    """Answers with the size of the body; slowly, when asked to."""
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    size = 0
    while (message := await receive()).get("more_body"):
        size += len(message["body"])
    body = str(size + len(message.get("body", b""))).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = ProtocolTypeRouter({"http": http, "websocket": socket.application})
