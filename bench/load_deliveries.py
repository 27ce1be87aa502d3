"""Load: a fixed number of signed deliveries over a fixed number of connections, as fast as they are acknowledged.

Everything is signed and laid out before the clock starts; what runs then is one epoll loop, far quicker than any
server here. Reads one JSON line, prints one.
"""

import gc
import json
import re
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provider_requests import request

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
PATIENCE = 30.0  # seconds without any answer
PAUSE = 0.05  # seconds between two bursts, in which all connections send at the same instant


@dataclass
class Connection:
    client: socket.socket
    number: int = -1
    sent_at: float = 0.0
    buffer: bytes = b""


@dataclass
class Tally:
    acknowledged: list[int] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)


def key_of(spec: dict[str, Any], number: int) -> str:
    """Every so many it is the one before it once more, as a provider that missed our answer would send it."""
    repeated = number % spec["repeat_every"] == spec["repeat_every"] - 1
    return f"{spec['prefix']}-{number - 1 if repeated else number}"


def run(spec: dict[str, Any]) -> dict[str, Any]:
    requests = [request(spec, key_of(spec, number)) for number in range(spec["requests"])]
    connections = [_connect(spec["port"]) for _ in range(spec["connections"])]
    gc.collect()
    gc.disable()
    tally = Tally()
    used, began = time.process_time(), time.perf_counter()
    if spec.get("bursts"):
        for first in range(0, len(requests), len(connections)):
            _drive(connections, iter([*enumerate(requests)][first : first + len(connections)]), tally)
            time.sleep(PAUSE)
    else:
        _drive(connections, iter(enumerate(requests)), tally)
    elapsed = time.perf_counter() - began
    for connection in connections:
        connection.client.close()
    tally.waits.sort()
    return {
        "elapsed": elapsed,
        "generator_cores": (time.process_time() - used) / elapsed,
        "acknowledged": [key_of(spec, number) for number in tally.acknowledged],
        "refused": dict(tally.refused),
        "p50_ms": 1000 * tally.waits[len(tally.waits) // 2] if tally.waits else 0,
        "p95_ms": 1000 * tally.waits[len(tally.waits) * 95 // 100] if tally.waits else 0,
    }


def _connect(port: int) -> Connection:
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(client)


def _drive(connections: list[Connection], requests: Iterator[tuple[int, bytes]], tally: Tally) -> None:
    poll = select.epoll()
    by_fd = {connection.client.fileno(): connection for connection in connections}
    for fd, connection in list(by_fd.items()):
        poll.register(fd, select.EPOLLIN)
        if not _next(connection, requests):
            del by_fd[fd]
    while by_fd:
        events = poll.poll(PATIENCE)
        if not events:
            tally.refused["no answer"] += len(by_fd)
            return
        for fd, _ in events:
            connection = by_fd[fd]
            if not _answered(connection, tally):
                continue
            if connection.number < 0 or not _next(connection, requests):
                poll.unregister(fd)
                del by_fd[fd]


def _next(connection: Connection, requests: Iterator[tuple[int, bytes]]) -> bool:
    connection.number, request = next(requests, (-1, b""))
    connection.sent_at = time.perf_counter()
    if request:
        connection.client.sendall(request)
    return bool(request)


def _answered(connection: Connection, tally: Tally) -> bool:
    """Whether the answer is whole. A connection that the server closed gets no further requests."""
    data = connection.client.recv(65536)
    connection.buffer += data
    head, found, body = connection.buffer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    if data and not (found and length and len(body) >= int(length[1])):
        return False
    if head.startswith(b"HTTP/1.1 200 "):
        tally.acknowledged.append(connection.number)
        tally.waits.append(time.perf_counter() - connection.sent_at)
    else:
        tally.refused[head[9:12].decode("latin-1") or "closed"] += 1
    if not data:
        connection.number = -1
    connection.buffer = b""
    return True


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(json.loads(sys.stdin.readline()))) + "\n")
