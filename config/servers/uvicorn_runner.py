"""uvicorn with our limits. Its socket protocol bounds slow readers by itself; what it lacks is cutting them off."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from config.live import hub, pool
from config.servers import limits
from config.servers.frames import text_frame
from config.servers.limits import Application, Message, Receive, Send


class SocketProtocol(WebSocketsSansIOProtocol):
    """A client that never reads holds up neither its close frame nor the end of its connection."""

    close_timeout: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.close_timeout = limits.CLOSE_SECONDS

    async def send(self, message: Any) -> None:
        text = message.get("text")
        if text is not None and self.handshake_complete:
            await self.writable.wait()
            if self.disconnected:
                raise ClientDisconnected
            if not self.close_sent:
                self.transport.write(text_frame(text))
            return
        if message["type"] == "websocket.close":
            # The close frame goes behind what is buffered already, however full that is.
            self.writable.set()
            self._cut_off_later()
        await super().send(message)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._cut_off_later()

    def shutdown(self) -> None:
        super().shutdown()
        self._cut_off_later()

    def _cut_off_later(self) -> None:
        self.loop.call_later(limits.CLOSE_SECONDS, self.transport.abort)


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._ending()
        await super().shutdown(sockets)
        await hub.stop()
        await pool.close_hot_pool()


def run(application: Application, listening: socket.socket, ending: Callable[[], None]) -> None:
    """Until the process is told to end; `ending` is called once it takes nothing more."""
    logging.getLogger("uvicorn.error").addFilter(_is_no_fault_of_a_client)
    config = uvicorn.Config(
        _limited(application),
        backlog=limits.BACKLOG,
        ws=SocketProtocol,
        ws_max_size=limits.FRAME_BYTES,
        ws_ping_interval=limits.PING_SECONDS,
        ws_ping_timeout=limits.PONG_SECONDS,
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=limits.GRACE_SECONDS,
    )
    Server(config, ending).run(sockets=[listening])


def _is_no_fault_of_a_client(record: logging.LogRecord) -> bool:
    """Text that is none closes a socket with 1007; whoever sends it writes no traceback into our log."""
    return not (record.exc_info and isinstance(record.exc_info[1], UnicodeDecodeError))


def _limited(application: Application) -> Application:
    async def limited(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _announced(scope) > limits.body_limit(scope["path"]):
            await _refuse(receive, send)
        else:
            await application(scope, receive, send)

    return limited


def _announced(scope: Message) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _refuse(receive: Receive, send: Send) -> None:
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(limits.TOO_LARGE)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    # The answer is whole with this, but for the server only with the last message: then it closes.
    await send({"type": "http.response.body", "body": limits.TOO_LARGE, "more_body": True})
    try:
        async with asyncio.timeout(limits.LINGER_SECONDS):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})
