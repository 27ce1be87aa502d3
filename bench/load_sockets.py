"""Load: a thousand sockets that follow one topic and note when each frame reached them.

One epoll loop over plain sockets, so that the reader is never slower than the server it measures. Reads one JSON line;
prints a line when everybody follows, and a second one when all has arrived or time is up. What arrived goes into a
file: for every frame the place of its socket, its number and the moment, as 64-bit integers.
"""

import base64
import gc
import json
import os
import select
import socket
import struct
import sys
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WAVE = 100  # handshakes under way at once
SMALL_BUFFER = 4096  # of a socket that will stop reading, so that the server notices soon
SETTLE_SECONDS = 60.0
MOST_RETRIES = 1_000
# Memory for more than 128 KiB is asked of the kernel for each read anew, which costs more than the reading.
READ_BYTES = 16 * 1024
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


@dataclass(slots=True)
class Client:
    place: int
    client: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    waits_for: set[str] = field(default_factory=set)  # topics not confirmed yet
    head: int = 0
    closed: str = ""


class Crowd:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.topic: str = spec["topic"]
        self.heavy: str = spec.get("heavy", "")
        # How every frame of the topic begins, up to its number
        self.start = f'{{"op":"event","topic":"{self.topic}","seq":'.encode()
        # How several of them begin that share a frame, for those who ask for it
        self.several = f'{{"op":"events","topic":"{self.topic}",'.encode()
        self.frames = 0
        self.arrived = array("q")
        self.missing = 0
        self.retries = 0
        self.poll = select.epoll()
        self.clients: dict[int, Client] = {}

    # --- Arriving -------------------------------------------------------------------------------------------

    def gather(self) -> None:
        for begin in range(0, self.spec["sockets"], WAVE):
            end = min(begin + WAVE, self.spec["sockets"])
            wave = [self._open(place) for place in range(begin, end)]
            for client in wave:
                self._shake_hands(client)
            for client in wave:
                self._follow(client)

    def _open(self, place: int) -> Client:
        plain = socket.socket()
        if self._turns_slow(place):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        plain.settimeout(SETTLE_SECONDS)
        plain.connect(("127.0.0.1", self.spec["port"]))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        plain.sendall(
            f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{self.spec['port']}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: {', '.join(self.spec['protocols'])}\r\n\r\n".encode()
        )
        return Client(place, plain)

    def _turns_slow(self, place: int) -> bool:
        return place < self.spec["busy"]

    def _shake_hands(self, client: Client) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.client.recv(4096)
            if not more:
                raise SystemExit(f"socket {client.place} was refused: {data[:200]!r}")
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise SystemExit(f"socket {client.place} was refused: {head[:200]!r}")
        client.buffer += rest

    def _follow(self, client: Client) -> None:
        topics = [self.topic, self.heavy] if self._turns_slow(client.place) and self.heavy else [self.topic]
        client.waits_for = set(topics)
        for topic in topics:
            self._subscribe(client, topic)
        client.client.setblocking(False)
        self.clients[client.client.fileno()] = client
        self.poll.register(client.client.fileno(), select.EPOLLIN)
        if client.buffer:
            self._take(client)

    def _subscribe(self, client: Client, topic: str) -> None:
        asked = {"op": "subscribe", "topic": topic, "after": None, "gather": self.spec.get("gather", False)}
        client.client.send(masked(TEXT, json.dumps(asked).encode()))

    def settle(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while any(client.waits_for for client in self.clients.values()):
            if time.monotonic() > deadline:
                raise SystemExit("not every socket was subscribed in time")
            self._turn(0.1)
        if closed := [client.closed for client in self.clients.values() if client.closed]:
            raise SystemExit(f"{len(closed)} sockets were closed at once: {closed[0]}")

    # --- Listening ------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Until every socket that reads has every number, or time is up."""
        listening = [client for client in self.clients.values() if not self._stopped(client)]
        for client in self.clients.values():
            if self._stopped(client):
                self.poll.unregister(client.client.fileno())
        self.missing = len(listening) * self.spec["messages"]
        deadline = time.monotonic() + self.spec["seconds"]
        while self.missing > 0 and time.monotonic() < deadline:
            self._turn(0.5)

    def _stopped(self, client: Client) -> bool:
        return client.place < self.spec["stop"]

    def _turn(self, seconds: float) -> None:
        for fd, _ in self.poll.poll(seconds, 256):
            client = self.clients[fd]
            try:
                data = client.client.recv(READ_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                data, client.closed = b"", client.closed or type(error).__name__
            now = time.monotonic_ns()
            if not data:
                client.closed = client.closed or "end of stream"
                self.poll.unregister(fd)
            elif client.buffer or not self._is_one_frame(client, data, now):
                client.buffer += data
                self._take(client, now)

    def _is_one_frame(self, client: Client, data: bytes, now: int) -> bool:
        """The usual case, told apart by a glance: exactly one whole frame of our topic."""
        if data[0] != 0x81 or len(data) < 4 or data[1] != 126 or len(data) != 4 + (data[2] << 8 | data[3]):
            return False
        if not data.startswith(self.start, 4):
            return False
        self.frames += 1
        self._note(client, data, 4, now)
        return True

    def _note(self, client: Client, data: "bytes | bytearray", at: int, now: int) -> None:
        begin = at + len(self.start)
        self.arrived.extend((client.place, int(data[begin : data.index(b",", begin)]), now))
        self.missing -= 1

    def _note_several(self, client: Client, data: bytearray, begin: int, end: int, now: int) -> None:
        while (begin := data.find(self.start, begin, end)) >= 0:
            self._note(client, data, begin, now)
            begin += len(self.start)

    def _take(self, client: Client, now: int = 0) -> None:
        """Every whole frame in the buffer."""
        buffer = client.buffer
        while (found := parse(buffer)) is not None:
            opcode, begin, end = found
            if opcode == TEXT and buffer.startswith(self.start, begin):
                self.frames += 1
                self._note(client, buffer, begin, now)
            elif opcode == TEXT and buffer.startswith(self.several, begin):
                self.frames += 1
                self._note_several(client, buffer, begin, end, now)
            elif opcode == TEXT and client.waits_for:
                self._confirm(client, json.loads(bytes(buffer[begin:end])))
            elif opcode == PING:
                client.client.send(masked(PONG, bytes(buffer[begin:end])))
            elif opcode == CLOSE:
                client.closed = str(struct.unpack("!H", buffer[begin : begin + 2])[0]) if end - begin >= 2 else "1005"
            del buffer[:end]

    def _confirm(self, client: Client, frame: dict[str, Any]) -> None:
        if frame["op"] == "error" and frame["code"] == "unavailable" and self.retries < MOST_RETRIES:
            self.retries += 1  # as a client does when the server asks for it
            self._subscribe(client, frame["topic"])
        elif frame["op"] == "error":
            raise SystemExit(f"subscribing was refused: {frame}")
        elif frame["op"] == "subscribed":
            client.waits_for.discard(frame["topic"])
            if frame["topic"] == self.topic:
                client.head = frame["seq"]

    # --- The end --------------------------------------------------------------------------------------------

    def drain(self) -> list[str]:
        """Those that stopped read on: how did the server part with each?"""
        stopped = [client for client in self.clients.values() if self._stopped(client)]
        for client in stopped:
            self.poll.register(client.client.fileno(), select.EPOLLIN)
        deadline = time.monotonic() + 5
        while any(not client.closed for client in stopped) and time.monotonic() < deadline:
            self._turn(0.2)
        return [client.closed or "open" for client in stopped]

    def result(self) -> dict[str, Any]:
        Path(self.spec["file"]).write_bytes(self.arrived.tobytes())
        return {
            "heads": [client.head for client in self.clients.values()],
            "closed": [
                client.closed for client in self.clients.values() if client.closed and not self._stopped(client)
            ],
            "stopped": self.drain(),
            "frames": self.frames,
        }


def masked(opcode: int, payload: bytes) -> bytes:
    """Masked, as a client must, with a mask of zeros."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack("!H", size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def parse(buffer: bytearray) -> tuple[int, int, int] | None:
    """Kind of the first frame, where its payload begins and where it ends; None while it is not whole."""
    if len(buffer) < 2:
        return None
    size, begin = buffer[1] & 0x7F, 2
    if size >= 126:
        width = 2 if size == 126 else 8
        begin += width
        size = int.from_bytes(buffer[2:begin], "big")
    return (buffer[0] & 0x0F, begin, begin + size) if len(buffer) >= begin + size else None


def main() -> None:
    crowd = Crowd(json.loads(sys.stdin.readline()))
    crowd.gather()
    crowd.settle()
    gc.collect()
    gc.disable()
    used, began = time.process_time(), time.monotonic()
    say({"ready": True})
    crowd.listen()
    cores = (time.process_time() - used) / (time.monotonic() - began)
    say({**crowd.result(), "generator_cores": cores})


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
