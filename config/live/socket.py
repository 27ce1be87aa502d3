"""The ASGI application of `/ws/live`: one object for each socket, speaking the protocol of docs/live.md."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from uuid import uuid4

import orjson

from config.errors import DomainError, Invalid, NotFound, NotSignedIn, TooMany
from config.languages import in_language, language_asked, told
from config.live import frames, hub, ops, topics
from config.live.door import PROTOCOL, Refused, Scope, Visitor, admit
from config.live.following import Following
from config.live.identity import Identity
from config.live.outlet import Outlet, Send
from config.live.pace import Pace
from config.live.standing import CannotTell, Standing

logger = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Frame = Mapping[str, Any]

# Close codes: the contract's, and those of the WebSocket standard
NOT_SIGNED_IN = 4401
TOO_SLOW = 4408
FLOODING = 4429
TOO_BIG = 1009
TRY_AGAIN = 1013

MOST_CHARACTERS = 64 * 1024
MOST_TOPICS = 200
# A signal carries enough for "typing", too little for a message past the log.
MOST_SIGNAL_KEYS = 8
MOST_SIGNAL_CHARACTERS = 64
CLOSE_SECONDS = 5.0
TYPING = "typing"
PRESENCE = "presence"  # the signal by which a client says how it is there: {"state": "idle", "draft": true}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    try:
        visitor = admit(scope)
    except Refused as refused:
        await _turn_away(scope, send, refused.status)
        return
    await Socket(visitor, receive, send).run()


async def _turn_away(scope: Scope, send: Send, status: int) -> None:
    """A server without this extension answers 403 to everything."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.http.response.start", "status": status, "headers": []})
    await send({"type": "websocket.http.response.body", "body": b""})


class Socket:
    def __init__(self, visitor: Visitor, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._tab = uuid4().hex
        self._hub = hub.current()
        self._languages = visitor.languages
        self._standing = Standing(visitor)
        self._outlet = Outlet(send, on_full=lambda: self.close(TOO_SLOW), on_gone=self._leave)
        self._following = Following(self, self._outlet, self._hub, self._standing.may_listen)
        # A client that comes back subscribes to everything at once.
        self._frames = Pace(burst=400, rate=50)
        self._signals = Pace(burst=20, rate=5)
        self._arrivals: set[asyncio.Task[None]] = set()
        self._rechecking: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    # --- Life ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        refused = await self._arrive()
        try:
            await self._send({"type": "websocket.accept", "subprotocol": PROTOCOL})
            if refused is not None:
                await self._send({"type": "websocket.close", "code": refused})
                return
            while (message := await self._receive())["type"] != "websocket.disconnect":
                if self._closing is None:
                    await self._read(message)
        finally:
            self._leave()

    async def _arrive(self) -> int | None:
        """The close code of a socket that may not stay."""
        try:
            access_seen = await self._hub.ready()
            await self._standing.arrive()
        except NotSignedIn:
            return NOT_SIGNED_IN
        except Exception:
            logger.exception("A socket could not be authenticated", extra={"action": "live_arrive_failed"})
            return TRY_AGAIN
        self._hub.add(self, access_seen=access_seen)
        return None

    def close(self, code: int) -> None:
        if self._closing is None:
            self._leave()
            self._closing = asyncio.create_task(self._say_goodbye(code))

    async def _say_goodbye(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code})
        except Exception:  # noqa: BLE001 - the client is gone, or never reads and is the server's to abort
            logger.debug("A socket was gone before it was closed")

    def _leave(self) -> None:
        self._outlet.close()
        self._hub.remove(self)
        self._following.stop_all()
        if self._rechecking is not None and self._rechecking is not asyncio.current_task():
            self._rechecking.cancel()

    # --- What the hub calls --------------------------------------------------------------------------------

    @property
    def identity(self) -> Identity | None:
        return self._standing.identity

    def write(self, frame: str) -> None:
        self._outlet.write(frame)

    def topic_reset(self, topic: str, seq: int, head: int) -> None:
        self._following.stop(topic)
        self.write(frames.reset(topic, seq, head))

    def settled_topics(self) -> tuple[str, ...]:
        return self._following.settled()

    def topic_settled(self, topic: str) -> None:
        kind, identity = topics.kind_of(topic), self.identity
        if kind is not None and kind.presence is not None and identity is not None:
            arrival = asyncio.create_task(self._be_there(topic, identity))
            self._arrivals.add(arrival)
            arrival.add_done_callback(self._arrivals.discard)

    async def _be_there(self, topic: str, identity: Identity) -> None:
        try:
            await self._hub.desk.arrive(topic, self._tab, identity)
        except Exception:
            logger.exception("A socket could not be shown", extra={"action": "live_presence_failed"})
        if not self._following.is_settled(topic):
            self._hub.desk.leave(topic, self._tab)

    def topic_left(self, topic: str) -> None:
        self._hub.desk.leave(topic, self._tab)

    def check_expiry(self, now: float) -> None:
        """Whoever only listens to what is public may stay without being anybody."""
        if not self._standing.is_expired(now):
            return
        kinds = [topics.kind_of(topic) for topic in self._following.topics()]
        if kinds and all(kind and kind.public for kind in kinds):
            self._standing.become_nobody()
            self._hub.identified(self)
        else:
            self.close(NOT_SIGNED_IN)

    def access_changed(self) -> None:
        self._standing.access_changed()
        if self._rechecking is None or self._rechecking.done():
            self._rechecking = asyncio.create_task(self._recheck())

    async def _recheck(self) -> None:
        try:
            lost = await self._standing.recheck(self._following.topics)
        except NotSignedIn:
            self.close(NOT_SIGNED_IN)
        except CannotTell:
            self.close(TRY_AGAIN)
        else:
            self._hub.identified(self)
            for topic, why in lost.items():
                self._following.refuse(topic, why)

    # --- What the client asks ------------------------------------------------------------------------------

    async def _read(self, message: Frame) -> None:
        text, binary = message.get("text"), message.get("bytes")
        if len(text or binary or "") > MOST_CHARACTERS:
            self.close(TOO_BIG)
        elif not self._frames.allows():
            self.close(FLOODING)
        elif text is None:
            self._fail(Invalid("Frames are text."))
        else:
            await self._handle(text)

    async def _handle(self, text: str) -> None:
        frame: Frame = {}
        try:
            frame = _parse(text)
            await self._operate(frame)
        except DomainError as error:
            self._fail(error, frame)
        except Exception:
            logger.exception("An operation failed", extra={"action": "live_op_failed"})
            self.write(frames.error("unavailable", "Not available right now. Try again.", _about(frame)))

    def _fail(self, error: DomainError, frame: Frame | None = None) -> None:
        language = language_asked(self._languages)
        message, data = in_language(error.message, language), told(error.data, language)
        self.write(frames.error(error.code, message, {**_about(frame or {}), **data}))

    async def _operate(self, frame: Frame) -> None:
        match frame["op"]:
            case "subscribe":
                self._subscribe(_topic(frame), _after(frame), gather=frame.get("gather") is True)
            case "unsubscribe":
                self._following.stop(_topic(frame))
            case "ping":
                self.write(frames.PONG)
            case "token":
                await self._renew(frame.get("token"))
            case "signal":
                await self._signal(_topic(frame), frame.get("type"), frame.get("data"))
            case name:
                await self._registered(name, frame)

    def _subscribe(self, topic: str, after: int | None, *, gather: bool) -> None:
        if len(self._following) >= MOST_TOPICS and topic not in self._following.topics():
            raise TooManyOnSocket(f"A socket follows {MOST_TOPICS} topics at most.")
        self._following.start(topic, after, gather=gather)

    async def _renew(self, token: object) -> None:
        if token is not None and not isinstance(token, str):
            raise Invalid("A token is a string.")
        identity = await self._standing.renew(token)
        self._hub.identified(self)
        self.write(frames.renewed(identity.expires_at))

    async def _signal(self, topic: str, type_: object, data: object) -> None:
        kind = topics.kind_of(topic)
        if kind is None or not self._following.is_settled(topic):
            raise NotFound("There is no such topic.")
        is_presence = type_ == PRESENCE and kind.presence is not None
        if not isinstance(type_, str) or not (is_presence or type_ in kind.signals):
            raise Invalid("This topic takes no such signal.")
        # Whoever says that they type without saying more, types.
        small = {"typing": True, **_small(data)} if type_ == TYPING else _small(data)
        if not self._signals.allows():
            raise TooManyOnSocket
        if is_presence:
            self._hub.desk.tell(topic, self._tab, small)
            return
        # Last, so that nobody signs with another name.
        signed = {**small, **await self._standing.describe()}
        self._hub.signal(topic, frames.signal(topic, type_, signed), self)
        identity = self.identity
        relayed = (
            kind.relay(identity, topic[len(kind.prefix) + 1 :], type_, signed) if kind.relay and identity else None
        )
        if relayed is not None:
            self._hub.signal(relayed[0], frames.signal(relayed[0], type_, relayed[1]), self)

    async def _registered(self, name: str, frame: Frame) -> None:
        operation = ops.operation(name)
        if operation is None:
            raise UnknownOp
        if answer := await operation(self, frame):
            self.write(frames.encode(answer))


class UnknownOp(Invalid):
    code = "unknown_op"
    message = "There is no such op."


class TooManyOnSocket(TooMany):
    code = "too_many"


def _parse(text: str) -> Frame:
    try:
        frame = orjson.loads(text)
    except ValueError:
        raise Invalid("That is not JSON.") from None
    if not isinstance(frame, dict) or not isinstance(frame.get("op"), str):
        raise Invalid("A frame is an object with an op.")
    return frame


def _about(frame: Frame) -> dict[str, Any]:
    topic = frame.get("topic")
    return {"topic": topic} if isinstance(topic, str) else {}


def _topic(frame: Frame) -> str:
    topic = frame.get("topic")
    if not isinstance(topic, str) or not topic:
        raise Invalid("A topic is a string.")
    if "\x00" in topic:  # which no text in Postgres can hold
        raise NotFound("There is no such topic.")
    return topic


def _after(frame: Frame) -> int | None:
    after = frame.get("after")
    if after is not None and (type(after) is not int or after < 0):
        raise Invalid("after is a whole number from 0, or null.")
    return after


def _small(data: object) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict) or len(data) > MOST_SIGNAL_KEYS:
        raise Invalid("The data of a signal is a small object.")
    for word in (*data, *data.values()):
        if not isinstance(word, str | int | float | None) or len(str(word)) > MOST_SIGNAL_CHARACTERS:
            raise Invalid("The data of a signal is a small object.")
    return data
