"""Starts real web processes and talks to them over real sockets."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import websockets
from websockets.asyncio.client import ClientConnection

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Web:
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/live"

    def resident_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def most_resident_mib(self) -> float:
        """The most that it ever had."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

    def has_connection_from(self, port: int) -> bool:
        """Whether the server's end of this client's connection is still open."""
        ours, theirs = f"0100007F:{self.port:04X}", f"0100007F:{port:04X}"
        lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        established = "01"
        return any(line[1:4] == [ours, theirs, established] for line in lines)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def web(
    server: str,
    log: Path,
    *,
    port: int = 0,
    pass_fds: tuple[int, ...] = (),
    application: str = "tests.live.asgi:application",
    **environment: str,
) -> Iterator[Web]:
    """On a free port, or on the listening socket that is handed over."""
    port = port or free_port()
    command = [sys.executable, "-m", "config.servers.start", "--application", application]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--server", server, *(("--fd", str(pass_fds[0])) if pass_fds else ("--port", str(port)))],
            cwd=ROOT,
            pass_fds=pass_fds,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for_answer(port, process, log)
        yield Web(port, process, log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_answer(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """The socket listens before the application is loaded, so that it answers is what counts."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as probe:
                probe.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if probe.recv(1):
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


class Client:
    """One browser tab: sends frames, and remembers all that came."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def tell(self, **frame: Any) -> None:
        await self.connection.send(orjson.dumps(frame).decode())

    async def hear(self, seconds: float = PATIENCE) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            frame: dict[str, Any] = orjson.loads(await self.connection.recv())
            return frame

    async def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE) -> list[dict[str, Any]]:
        """Everything up to and including the first frame that is wanted, without heads that came in between."""
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(seconds):
            while True:
                frame = orjson.loads(await self.connection.recv())
                if wanted(frame):
                    return [*heard, frame]
                if frame["op"] != "heads":
                    heard.append(frame)

    async def op(self, name: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The next frame that is no heads (unless those are asked for), which has to be this one."""
        frame = (await self.until(lambda frame: frame["op"] == name or frame["op"] != "heads", seconds))[-1]
        assert frame["op"] == name, frame
        return frame

    async def subscribe(self, topic: str, after: int | None = None) -> dict[str, Any]:
        await self.tell(op="subscribe", topic=topic, after=after)
        return (await self.until(lambda f: f["op"] in {"subscribed", "reset", "error"} and f["topic"] == topic))[-1]

    async def event(self, seconds: float = PATIENCE) -> dict[str, Any]:
        return await self.op("event", seconds)

    async def closed(self, seconds: float = PATIENCE) -> int:
        """The close code, once everything sent before it has been read."""
        async with asyncio.timeout(seconds):
            with suppress(websockets.ConnectionClosed):
                while True:
                    await self.connection.recv()
        return self.connection.close_code or 0


@asynccontextmanager
async def connected(web: Web, name: str | None = "ben", **options: Any) -> AsyncIterator[Client]:
    protocols = ["live.v1"] if name is None else ["live.v1", f"bearer.{name}"]
    options.setdefault("subprotocols", protocols)
    options.setdefault("proxy", None)
    async with websockets.connect(web.url, **options) as connection:
        yield Client(connection)
