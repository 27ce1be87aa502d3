"""daphne with our limits: back-pressure towards slow readers, early refusal of large bodies, an end that loses nothing.

Stock daphne never lets `send` wait, so that what a slow client does not read grows in memory without bound; and it puts
the whole of a body into memory before the application has taken any of it.
"""

import daphne.server  # isort: skip  # installs its reactor, which has to come before any other import of Twisted's

import asyncio
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

from autobahn.twisted import websocket as autobahn_socket
from autobahn.websocket import protocol as autobahn_protocol
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor as _reactor
from twisted.internet.interfaces import IPushProducer
from twisted.logger import globalLogBeginner
from zope.interface import implementer  # type: ignore[import-untyped]

from config.live import hub, pool
from config.servers import limits
from config.servers.frames import text_frame
from config.servers.limits import Application, Message

reactor: Any = _reactor


def _unsaid(*_: object) -> str:
    return ""


# autobahn words its debug log whether or not anybody reads it, which is half of what the arrival of a socket costs.
autobahn: tuple[Any, ...] = (autobahn_protocol, autobahn_socket)
for module in autobahn:
    module.pformat = module.hltype = module.hlval = _unsaid

# Messages from one client that wait for the application before we stop reading from it.
INBOX_FULL = 64
INBOX_LOW = 16
HANDSHAKE_SECONDS = 10
FLUSH_SECONDS = 0.1
BODY_PART = 64 * 1024


@implementer(IPushProducer)
class Gate:
    """Open while the client's buffer has room. The transport turns it, as it would turn any producer."""

    def __init__(self) -> None:
        self.is_open = True
        self._opened = asyncio.Event()

    def pauseProducing(self) -> None:  # noqa: N802
        self.is_open = False
        self._opened.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.is_open = True
        self._opened.set()

    # The connection is gone: whoever waits has to find that out.
    stopProducing = resumeProducing  # noqa: N815

    async def wait(self) -> None:
        while not self.is_open:
            await self._opened.wait()


class SocketProtocol(WebSocketProtocol):  # type: ignore[misc]
    last_ping: float

    def connectionMade(self) -> None:  # noqa: N802
        super().connectionMade()
        self.gate = Gate()
        # Until now the HTTP channel, which this connection came through, was the producer.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.gate, True)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        super().onMessage(payload, isBinary)
        if self.application_queue.qsize() >= INBOX_FULL:
            self.application_queue.stop_reading(self.transport)

    def serverSend(self, content: Any, binary: bool = False) -> None:  # noqa: N802
        """Straight to the kernel as long as it takes everything, which spares the reactor two changes for each frame.
        A frame for many sockets is put into its WebSocket form once."""
        transport = self.transport
        if binary or self.state != self.STATE_OPEN or self.send_queue or not hasattr(transport, "writeSomeData"):
            super().serverSend(content, binary)
            return
        wire = text_frame(content)
        if not (transport.dataBuffer or transport._tempDataBuffer or transport.disconnecting):
            sent = transport.writeSomeData(wire)
            if sent == len(wire):
                return
            if isinstance(sent, int) and sent > 0:
                wire = wire[sent:]
        transport.write(wire)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        # sendClose() refuses the standard's own codes above 1000, which a server needs too.
        self.sendCloseFrame(code=1000 if code is None else code)

    def check_timeouts(self) -> None:
        if self.state == self.STATE_CONNECTING:
            super().check_timeouts()
            return
        # One ping at a time: a second one would leave the first one's timer running after both are answered.
        quiet = self.state == self.STATE_OPEN and self.autoPingTimeoutCall is None
        if quiet and time.time() - self.last_ping >= limits.PING_SECONDS:
            self._sendAutoPing()
            self.last_ping = time.time()


class SocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = SocketProtocol


class Request(WebRequest):  # type: ignore[misc]
    """Refuses a body by its announced length, and by its real one when none was announced, before it is kept."""

    refused = False
    received = 0

    def __init__(self, *args: Any, **named: Any) -> None:
        # Twisted would look for forms with the e-mail parser in every POST; the application gets the bytes as they are.
        super().__init__(*args, **{**named, "parsePOSTFormSubmission": False})

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        # Twisted knows the path only later by itself.
        path = self.channel._path.partition(b"?")[0].decode("latin-1")
        self.limit = limits.body_limit(path)
        super().gotLength(min(length or 0, self.limit) if length is not None else None)
        if (length or 0) > self.limit:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self.received += len(data)
        if not self.refused and self.received > self.limit:
            self._refuse()
        if not self.refused:
            super().handleContentChunk(data)

    def process(self) -> Any:
        if self.refused:
            self.channel.loseConnection()
            return None
        return super().process()

    def _refuse(self) -> None:
        self.refused = True
        head = (
            b"HTTP/1.1 413 Request Entity Too Large\r\nconnection: close\r\ncontent-type: application/problem+json\r\n"
            b"content-length: %d\r\n\r\n" % len(limits.TOO_LARGE)
        )
        self.channel.transport.write(head + limits.TOO_LARGE)
        reactor.callLater(limits.LINGER_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        if self.channel is not None:
            self.channel.loseConnection()


class Factory(HTTPFactory):  # type: ignore[misc]
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol

    def log(self, request: Any) -> None:
        """Stock Twisted formats an access line for nobody."""


class Inbox(asyncio.Queue[Message]):
    """What a client sent and the application has not taken yet. Full, it stops reading from the client."""

    stopped: Any = None

    def stop_reading(self, transport: Any) -> None:
        if self.stopped is None:
            self.stopped = transport
            transport.pauseProducing()

    async def get(self) -> Message:
        message = await super().get()
        if self.stopped is not None and self.qsize() <= INBOX_LOW:
            transport, self.stopped = self.stopped, None
            if transport.connected and not transport.disconnecting:
                transport.resumeProducing()
        return message


class Body(asyncio.Queue[Message]):
    """A large request's body, which Twisted has put into a file: read from there as the application takes it."""

    def __init__(self, request: Any) -> None:
        super().__init__()
        self._request, self._file = request, request.content
        self._unread = True
        request.content = BytesIO()  # what daphne reads and hands on at once: nothing

    def put_nowait(self, message: Message) -> None:
        if message["type"] == "http.request":
            self._request.content = self._file  # daphne is through; it closes this one in the end
        else:
            super().put_nowait(message)

    async def get(self) -> Message:
        if not self._unread or self._file.closed:
            return await super().get()
        await asyncio.sleep(0)  # others have their turn between two parts
        part = b"" if self._file.closed else self._file.read(BODY_PART)
        self._unread = len(part) == BODY_PART
        return {"type": "http.request", "body": part, "more_body": self._unread}


class Server(daphne.server.Server):  # type: ignore[misc]
    def __init__(self, application: Application, listening: socket.socket, ending: Callable[[], None]) -> None:
        super().__init__(
            application,
            endpoints=["inherited"],
            ping_interval=limits.PING_SECONDS,
            ping_timeout=limits.PONG_SECONDS,
            websocket_timeout=-1,
            server_name="",
        )
        self.listening = listening
        self._before_end = ending
        self.ending = False

    def run(self) -> None:
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = Factory(self)
        self.ws_factory = SocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=limits.PONG_SECONDS,
            autoPingRestartOnAnyTraffic=True,
            allowNullOrigin=True,
            openHandshakeTimeout=HANDSHAKE_SECONDS,
            closeHandshakeTimeout=limits.CLOSE_SECONDS,
            maxMessagePayloadSize=limits.FRAME_BYTES,
            maxFramePayloadSize=limits.FRAME_BYTES,
            failByDrop=False,
        )
        silence: Any = lambda event: None  # noqa: E731 - Twisted's own log repeats what we report better
        globalLogBeginner.beginLoggingTo([silence], redirectStandardIO=False, discardBuffer=True)
        self._start()

    def _start(self) -> None:
        loop = reactor._asyncioEventloop
        asyncio.set_event_loop(loop)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        self.port = reactor.adoptStreamPort(self.listening.fileno(), self.listening.family, self.http_factory)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end_soon)
        reactor.run(installSignalHandlers=False)

    # --- Back-pressure -------------------------------------------------------------------------------------

    async def handle_reply(self, protocol: Any, message: Message) -> None:
        if message["type"] != "websocket.send" or message.get("text") is None:
            await super().handle_reply(protocol, message)
            return
        gate = protocol.gate
        if not gate.is_open:
            await gate.wait()
        if protocol.state == protocol.STATE_OPEN:
            protocol.serverSend(message["text"])

    def create_application(self, protocol: Any, scope: Message) -> Any:
        if scope["type"] == "websocket":
            inbox: asyncio.Queue[Message] = Inbox()
        elif isinstance(protocol.content, BytesIO):
            return super().create_application(protocol, scope)
        else:
            inbox = Body(protocol)
        scope["asgi"] = {"version": "3.0"}
        running = asyncio.ensure_future(self.application(scope, inbox.get, partial(self.handle_reply, protocol)))
        self.connections[protocol]["application_instance"] = running
        return inbox

    # --- The end -------------------------------------------------------------------------------------------

    def _end_soon(self) -> None:
        if not self.ending:
            self.ending = True
            self._ending_task = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        """No new connections; sockets are told to come back, requests may finish."""
        self.port.stopListening()
        self.listening.close()
        self._before_end()
        for protocol in list(self.connections):
            if isinstance(protocol, SocketProtocol) and protocol.state == protocol.STATE_OPEN:
                protocol.sendCloseFrame(code=1012)
        if running := self._running():
            await asyncio.wait(running, timeout=limits.GRACE_SECONDS)
        for task in self._running():
            task.cancel()
        await hub.stop()
        await pool.close_hot_pool()
        # What was answered last is still on its way to the kernel.
        await asyncio.sleep(FLUSH_SECONDS)
        reactor.stop()

    def _running(self) -> list["asyncio.Future[None]"]:
        tasks = (details.get("application_instance") for details in self.connections.values())
        return [task for task in tasks if task is not None and not task.done()]


def run(application: Application, listening: socket.socket, ending: Callable[[], None]) -> None:
    """Until the process is told to end; `ending` is called once it takes nothing more."""
    Server(application, listening, ending).run()
