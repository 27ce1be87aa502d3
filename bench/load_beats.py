"""Load: students who beat every few seconds, over sockets of their own or over a few HTTP connections.

One epoll loop over plain sockets. Beats are sent when they are due, whatever became of those before (an open loop),
and their time runs from then. Reads one JSON line; prints a line when everybody has arrived, and for each of the
`rounds` of seconds one that says what became of it. Over sockets everybody beats from the moment of arriving on, as the
product's client does, so that nobody is silent while the others arrive; whoever is thrown out comes back after a moment
of their own and beats at once.
"""

import base64
import errno
import gc
import heapq
import json
import os
import random
import resource
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from load_sockets import CLOSE, PING, PONG, READ_BYTES, TEXT, masked, parse, say

WAVE = 50  # handshakes under way at once
SPREAD_SECONDS = 10.0  # over which those who were thrown out come back
PATIENCE = 20.0  # a beat not answered by then is an error
ARRIVING = 600.0  # for all handshakes together
BEATS_A_QUESTION = 3  # half a minute for each: what is new goes to tutors, what is not need not
SETTLING = 5.0  # what is under way at the end of a round may still arrive


@dataclass(slots=True)
class Student:
    place: int
    session: str
    token: str
    count: int = 0
    due: float = 0.0
    sent_for: float = 0.0  # when the beat on its way was due; 0 for none
    answered_at: float = 0.0


@dataclass(slots=True)
class Line:
    """A connection: of one student over a socket, of whoever is due over HTTP."""

    plain: socket.socket
    student: Student | None
    is_open: bool = False
    buffer: bytearray = field(default_factory=bytearray)


class Load:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.port: int = spec["port"]
        self.period: float = spec["period"]
        self.students = [Student(place, session, token) for place, (session, token) in enumerate(spec["students"])]
        self.poll = select.epoll()
        self.lines: dict[int, Line] = {}
        self.due: list[tuple[float, int]] = []
        self.delays: list[float] = []
        self.errors: dict[str, int] = {}
        self.thrown_out = 0
        self.first_lost = 0.0

    def fail(self, word: str) -> None:
        self.errors[word] = self.errors.get(word, 0) + 1

    def plan(self) -> None:
        """Evenly over the first period."""
        now = time.monotonic() + 0.2
        for student in self.students:
            student.due = now + student.place * self.period / len(self.students)
            heapq.heappush(self.due, (student.due, student.place))

    def beat_of(self, student: Student) -> dict[str, Any]:
        student.count += 1
        answered = (student.count + student.place % BEATS_A_QUESTION) // BEATS_A_QUESTION  # not all at the same beat
        return {
            "session": student.session,
            "current_question": answered + 1,
            "answered_count": answered,
            "rtt_ms": 20,
            "network": "wifi",
            "seq": student.count,
        }

    def answered(self, student: Student) -> None:
        now = time.monotonic()
        if student.sent_for:
            self.delays.append((now - student.sent_for) * 1000)
        student.sent_for, student.answered_at = 0.0, now

    def run(self, seconds: float, *, is_last: bool) -> None:
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self.step(now)
        if is_last:
            self.settle()

    def step(self, now: float) -> None:
        self.send_due(now)
        self.turn(min(0.05, max(0.0, (self.due[0][0] if self.due else now + 1) - time.monotonic())))

    def settle(self) -> None:
        until = time.monotonic() + SETTLING
        while any(student.sent_for for student in self.students) and time.monotonic() < until:
            self.turn(0.05)
        for student in self.students:
            if student.sent_for:
                self.fail("not answered")

    def forget(self) -> None:
        """What was counted belongs to another round."""
        self.delays, self.errors = [], {}
        self.thrown_out, self.first_lost = 0, 0.0

    def send_due(self, now: float) -> None:
        raise NotImplementedError

    def turn(self, seconds: float) -> None:
        for fd, what in self.poll.poll(seconds, 512):
            line = self.lines.get(fd)
            if line is None:
                continue
            if what & select.EPOLLOUT:
                self.ready(line)
                continue
            try:
                data = line.plain.recv(READ_BYTES)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self.lost(line)
            else:
                line.buffer += data
                self.take(line)

    def ready(self, line: Line) -> None:
        raise NotImplementedError

    def take(self, line: Line) -> None:
        raise NotImplementedError

    def lost(self, line: Line) -> None:
        raise NotImplementedError

    def result(self) -> dict[str, Any]:
        return {
            "delays": self.delays,
            "errors": self.errors,
            "thrown_out": self.thrown_out,
            "slowest_back": self.slowest_back(),
        }

    def slowest_back(self) -> float:
        return 0.0


class Sockets(Load):
    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.of: dict[int, Line] = {}
        self.return_at: list[tuple[float, int]] = []
        self.back: dict[int, float] = {}
        self.away: set[int] = set()
        self.here = 0  # students who were let in once
        self.knocking = 0  # handshakes under way

    def forget(self) -> None:
        super().forget()
        self.back.clear()

    def gather(self) -> None:
        waiting, until = self.students[::-1], time.monotonic() + ARRIVING
        while self.here < len(self.students):
            now = time.monotonic()
            if now > until:
                words = f"{self.here} of {len(self.students)} were let in within {ARRIVING:.0f} s; {self.errors}"
                raise SystemExit(words)
            while waiting and self.knocking < WAVE:
                self.open(waiting.pop())
            self.step(now)

    def open(self, student: Student) -> None:
        plain = socket.socket()
        plain.setblocking(False)
        line = self.lines[plain.fileno()] = self.of[student.place] = Line(plain, student)
        self.knocking += 1
        self.poll.register(plain.fileno(), select.EPOLLOUT)  # which says that it is connected, or cannot be
        if plain.connect_ex(("127.0.0.1", self.port)) not in (0, errno.EINPROGRESS):
            self.lost(line)

    def ready(self, line: Line) -> None:
        """Connected: the handshake goes out."""
        student, plain = line.student, line.plain
        assert student is not None
        if plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return self.lost(line)
        self.poll.modify(plain.fileno(), select.EPOLLIN)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        plain.send(
            f"GET /ws/live HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: live.v1, bearer.{student.token}\r\n\r\n".encode()
        )
        return None

    def send_due(self, now: float) -> None:
        while self.due and self.due[0][0] <= now:
            due, place = heapq.heappop(self.due)
            student = self.students[place]
            heapq.heappush(self.due, (due + self.period, place))
            line = self.of.get(place)
            if line is None or not line.is_open:
                continue  # nobody is there; it beats when it is back
            if student.sent_for:
                if now - student.sent_for > PATIENCE:
                    self.fail("not answered")
                    student.sent_for = 0.0
                continue
            student.sent_for = due
            self.say(line, {"op": "beat", **self.beat_of(student)})
        while self.return_at and self.return_at[0][0] <= now:
            _, place = heapq.heappop(self.return_at)
            self.open(self.students[place])

    def say(self, line: Line, frame: dict[str, Any]) -> None:
        line.plain.send(masked(TEXT, json.dumps(frame).encode()))

    def take(self, line: Line) -> None:
        student = line.student
        assert student is not None
        if not line.is_open:
            head, found, rest = bytes(line.buffer).partition(b"\r\n\r\n")
            if not found:
                return None
            if not head.startswith(b"HTTP/1.1 101"):
                return self.lost(line)
            line.buffer[:] = rest
            self.let_in(line, student)
        while (found_frame := parse(line.buffer)) is not None:
            opcode, begin, end = found_frame
            payload = bytes(line.buffer[begin:end])
            del line.buffer[:end]
            if opcode == TEXT:
                self.hear(student, payload)
            elif opcode == PING:
                line.plain.send(masked(PONG, payload))
            elif opcode == CLOSE:
                return self.lost(line)
        return None

    def let_in(self, line: Line, student: Student) -> None:
        line.is_open = True
        self.knocking -= 1
        self.say(line, {"op": "subscribe", "topic": f"session.{student.session}", "after": None})
        student.sent_for = time.monotonic()
        self.say(line, {"op": "beat", **self.beat_of(student)})
        if not student.due:
            self.here += 1
            student.due = student.sent_for + self.period
            heapq.heappush(self.due, (student.due, student.place))

    def hear(self, student: Student, payload: bytes) -> None:
        if payload.startswith(b'{"op":"beat_ok"'):
            if student.place in self.away:
                self.away.discard(student.place)
                self.back[student.place] = time.monotonic()
                student.sent_for = 0.0  # a return is counted by itself
            self.answered(student)
        elif payload.startswith(b'{"op":"error"'):
            frame = json.loads(payload)
            if frame.get("code") == "unavailable" and "topic" in frame:
                return
            if frame.get("code") != "beat_too_early":
                self.fail(str(frame.get("code")))
            elif student.place in self.away:  # it had just beaten: that it is heard is enough
                self.away.discard(student.place)
                self.back[student.place] = time.monotonic()
            student.sent_for = 0.0

    def lost(self, line: Line) -> None:
        student = line.student
        assert student is not None
        fd = line.plain.fileno()
        if fd in self.lines:
            self.poll.unregister(fd)
            del self.lines[fd]
        line.plain.close()
        was_open, line.is_open = line.is_open, False
        student.sent_for = 0.0
        now = time.monotonic()
        if not was_open:  # the door was closed: again soon
            self.knocking -= 1
            heapq.heappush(self.return_at, (now + 0.5 + random.random(), student.place))
            return
        self.thrown_out += 1
        self.first_lost = self.first_lost or now
        self.away.add(student.place)
        heapq.heappush(self.return_at, (now + random.random() * SPREAD_SECONDS, student.place))

    def slowest_back(self) -> float:
        """Seconds from the first loss to the last one's first answered beat; -1 when somebody stayed away."""
        if not self.first_lost:
            return 0.0
        return -1.0 if self.away else max(self.back.values()) - self.first_lost


class Http(Load):
    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__(spec)
        self.idle: list[Line] = []

    def gather(self) -> None:
        for _ in range(self.spec["connections"]):
            self.open()
        self.plan()

    def open(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setblocking(False)
        line = self.lines[plain.fileno()] = Line(plain, None, is_open=True)
        self.poll.register(plain.fileno(), select.EPOLLIN)
        self.idle.append(line)

    def send_due(self, now: float) -> None:
        while self.due and self.due[0][0] <= now and self.idle:
            due, place = heapq.heappop(self.due)
            heapq.heappush(self.due, (due + self.period, place))
            student = self.students[place]
            if student.sent_for:
                continue
            line = self.idle.pop()
            line.student, student.sent_for = student, due
            body = json.dumps(self.beat_of(student)).encode()
            line.plain.send(
                f"POST /api/v1/sessions/{student.session}/heartbeat HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                f"Authorization: Bearer {student.token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )

    def take(self, line: Line) -> None:
        head, found, rest = bytes(line.buffer).partition(b"\r\n\r\n")
        if not found:
            return
        size = next((int(row[15:]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length:")), 0)
        if len(rest) < size:
            return
        student, line.student = line.student, None
        line.buffer.clear()
        self.idle.append(line)
        assert student is not None
        if head.startswith(b"HTTP/1.1 200"):
            self.answered(student)
        else:
            student.sent_for = 0.0
            self.fail(head[9:12].decode())

    def lost(self, line: Line) -> None:
        fd = line.plain.fileno()
        self.poll.unregister(fd)
        del self.lines[fd]
        line.plain.close()
        if line in self.idle:
            self.idle.remove(line)
        if line.student is not None:
            line.student.sent_for = 0.0
            self.fail("connection lost")
        self.open()


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    load = Sockets(spec) if spec["road"] == "socket" else Http(spec)
    began = time.monotonic()
    load.gather()
    gc.collect()
    gc.disable()
    say({"arrived_in": time.monotonic() - began})
    for place, seconds in enumerate(spec["rounds"], start=1):
        load.forget()
        used, began = time.process_time(), time.monotonic()
        load.run(seconds, is_last=place == len(spec["rounds"]))
        say({**load.result(), "generator_cores": (time.process_time() - used) / (time.monotonic() - began)})


if __name__ == "__main__":
    main()
