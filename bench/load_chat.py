"""Load: visitors on sockets of their own, and one agent; they write in turn, each message timed from the moment it was
due until the other side's socket has it.

Whoever has got a message says at once that it was read, as browsers in which the chat is open do.

One epoll loop over plain sockets, so that the load takes no processor from the server beside it. Reads one JSON line;
prints a line when everybody listens, then what became of the messages. They are sent when they are due, whatever became
of those before (an open loop), and waited for until the last is there.
"""

import base64
import gc
import json
import os
import select
import socket
import sys
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from load_sockets import CLOSE, PING, PONG, READ_BYTES, TEXT, masked, parse, say

WAVE = 40  # handshakes under way at once
SETTLE_SECONDS = 120.0
PATIENCE = 120.0  # seconds after the last was sent; what has not come by then is lost
CONNECTIONS = 64
READ = "read"  # instead of a message's words
TOPICS = 150  # of one of the agent's sockets, which may follow 200


@dataclass(slots=True)
class Listener:
    plain: socket.socket
    way: str  # of the messages that it waits for
    topics: list[str]
    upgraded: bool = False
    following: int = 0
    numbers: dict[str, int] = field(default_factory=dict)
    buffer: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Connection:
    plain: socket.socket
    words: str = ""  # of the message that is being answered, or READ
    buffer: bytearray = field(default_factory=bytearray)


class Load:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.port: int = spec["port"]
        self.poll = select.epoll()
        self.lines: dict[int, Listener | Connection] = {}
        self.free: list[Connection] = []
        self.connections = 0
        self.waiting: deque[tuple[str, bytes]] = deque()
        self.due: dict[str, float] = {}  # by the words, which are all different, in the order of sending
        self.delays: dict[str, float] = {}
        self.answers: list[float] = []
        self.unanswered: set[str] = set()
        self.seen: dict[str, int] = {}
        self.tokens: dict[str, str] = dict(spec["visitors"])
        self.reading = 0  # marks that are not answered yet
        self.reads = 0
        self.errors: dict[str, int] = {}

    def fail(self, word: str) -> None:
        self.errors[word] = self.errors.get(word, 0) + 1

    # --- Listening ------------------------------------------------------------------------------------------

    def gather(self) -> None:
        visitors = self.spec["visitors"]
        wanted = [(token, [f"chat.{chat}"], "out") for chat, token in visitors]
        for first in range(0, len(visitors), TOPICS):
            topics = [f"conversation.{chat}" for chat, _ in visitors[first : first + TOPICS]]
            wanted.append((self.spec["agent"], topics, "in"))
        until = time.monotonic() + SETTLE_SECONDS
        for first in range(0, len(wanted), WAVE):
            wave = [self.open(*one) for one in wanted[first : first + WAVE]]
            while any(one.following < len(one.topics) for one in wave):
                if time.monotonic() > until:
                    raise SystemExit("not everybody was let in in time")
                self.turn(0.05)

    def connect(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plain

    def take_in(self, line: Listener | Connection) -> None:
        line.plain.setblocking(False)
        self.lines[line.plain.fileno()] = line
        self.poll.register(line.plain.fileno(), select.EPOLLIN)

    def open(self, token: str, topics: list[str], way: str) -> Listener:
        line = Listener(self.connect(), way, topics)
        key = base64.b64encode(os.urandom(16)).decode()
        line.plain.sendall(
            f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: live.v1, bearer.{token}\r\n\r\n".encode()
        )
        self.take_in(line)
        return line

    def turn(self, seconds: float) -> None:
        for fd, _ in self.poll.poll(seconds, 512):
            line = self.lines[fd]
            try:
                data = line.plain.recv(READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self.lost(fd, line)
                continue
            line.buffer += data
            if isinstance(line, Listener):
                self.hear(line, time.monotonic())
            else:
                self.answered(line)

    def lost(self, fd: int, line: "Listener | Connection") -> None:
        self.poll.unregister(fd)
        del self.lines[fd]
        line.plain.close()
        if isinstance(line, Connection) and not line.words:
            self.free.remove(line)
            self.connections -= 1
        else:
            self.fail("closed")

    def hear(self, line: Listener, now: float) -> None:
        if not line.upgraded:
            head, found, rest = bytes(line.buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise SystemExit(f"a socket was refused: {head[:100]!r}")
            line.upgraded, line.buffer = True, bytearray(rest)
            for topic in line.topics:
                asked = json.dumps({"op": "subscribe", "topic": topic, "after": None})
                line.plain.send(masked(TEXT, asked.encode()))
        while (found_frame := parse(line.buffer)) is not None:
            opcode, begin, end = found_frame
            payload = bytes(line.buffer[begin:end])
            del line.buffer[:end]
            if opcode == PING:
                line.plain.send(masked(PONG, payload))
            elif opcode == TEXT:
                self.note(line, json.loads(payload), now)
            elif opcode == CLOSE:
                self.fail(f"closed {int.from_bytes(payload[:2], 'big')}")

    def note(self, line: Listener, frame: dict[str, Any], now: float) -> None:
        if frame["op"] == "subscribed":
            line.following += 1
            line.numbers[frame["topic"]] = frame["seq"]
        elif frame["op"] == "error":
            self.fail(frame["code"])
        elif frame["op"] == "event":
            if frame["seq"] != line.numbers[frame["topic"]] + 1:
                self.fail("out of order")
            line.numbers[frame["topic"]] = frame["seq"]
            data = frame["data"]
            if frame["type"] == "message.created" and data["direction"] == line.way and data["body"] in self.due:
                self.seen[data["body"]] = self.seen.get(data["body"], 0) + 1
                self.delays.setdefault(data["body"], (now - self.due[data["body"]]) * 1000)
                self.mark_read(data["conversation"], data["id"], line.way)

    # --- Writing --------------------------------------------------------------------------------------------

    def run(self) -> None:
        rate, visitors = self.spec["rate"], self.spec["visitors"]
        start = time.monotonic() + 0.2
        for number in range(int(rate * self.spec["seconds"])):
            due = start + number / rate
            while (left := due - time.monotonic()) > 0:
                self.turn(left)
            chat, token = visitors[number // 2 % len(visitors)]
            path = f"/api/v1/chats/{chat}/messages"
            if number % 2:
                path, token = f"/api/v1/workspaces/bench/conversations/{chat}/messages/", self.spec["agent"]
            self.write(path, token, due)
        until = time.monotonic() + PATIENCE
        while (len(self.seen) < len(self.due) or self.unanswered or self.reading) and time.monotonic() < until:
            self.turn(0.1)
        self.linger()

    def linger(self) -> None:
        """What comes twice comes soon."""
        until = time.monotonic() + 2
        while time.monotonic() < until:
            self.turn(0.1)

    def mark_read(self, chat: str, message: str, way: str) -> None:
        self.reading += 1
        self.reads += 1
        if way == "out":
            self.post(READ, f"/api/v1/chats/{chat}/read", self.tokens[chat], {"up_to": message})
        else:
            self.post(READ, f"/api/v1/workspaces/bench/conversations/{chat}/read/", self.spec["agent"], {})

    def write(self, path: str, token: str, due: float) -> None:
        words = str(uuid.uuid4())
        self.due[words] = due
        self.unanswered.add(words)
        self.post(words, path, token, {"client_id": words, "body": words})

    def post(self, words: str, path: str, token: str, given: dict[str, str]) -> None:
        body = json.dumps(given).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.waiting.append((words, head.encode() + body))
        self.send_waiting()

    def send_waiting(self) -> None:
        while self.waiting and (self.free or self.connections < CONNECTIONS):
            if not self.free:
                self.connections += 1
                self.free.append(Connection(self.connect()))
                self.take_in(self.free[-1])
            connection = self.free.pop()
            connection.words, request = self.waiting.popleft()
            connection.plain.sendall(request)

    def answered(self, line: Connection) -> None:
        head, found, rest = bytes(line.buffer).partition(b"\r\n\r\n")
        if not found:
            return
        lengths = [int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")]
        if len(rest) < sum(lengths):  # nothing comes with a 204
            return
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204") if line.words == READ else b"HTTP/1.1 201"):
            self.fail(f"status {head[9:12].decode()}")
        if line.words == READ:
            self.reading -= 1
        else:
            self.answers.append((time.monotonic() - self.due[line.words]) * 1000)
            self.unanswered.discard(line.words)
        line.words, line.buffer = "", bytearray()
        self.free.append(line)
        self.send_waiting()

    def result(self) -> dict[str, Any]:
        delays = [self.delays.get(words) for words in self.due]
        return {
            "in": [delay for delay in delays[::2] if delay is not None],
            "out": [delay for delay in delays[1::2] if delay is not None],
            "both": [
                asked + answered
                for asked, answered in zip(delays[::2], delays[1::2], strict=False)
                if asked is not None and answered is not None
            ],
            "answers": self.answers,
            "lost": len(self.due) - len(self.seen),
            "doubled": sum(count - 1 for count in self.seen.values()),
            "errors": self.errors,
            "sent": len(self.due),
            "reads": self.reads,
        }


def main() -> None:
    load = Load(json.loads(sys.stdin.readline()))
    load.gather()
    gc.collect()
    gc.disable()
    used, began = time.process_time(), time.monotonic()
    say({"listening": len(load.lines)})
    load.run()
    cores = (time.process_time() - used) / (time.monotonic() - began)
    say({**load.result(), "generator_cores": cores})


if __name__ == "__main__":
    main()
