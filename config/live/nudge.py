"""Tells other processes at once that something was committed. Losing a nudge is harmless: hubs look for themselves.

Sync code may not open an event loop or a connection for each call, nor wait for Redis, so one background thread for
each process sends from a bounded queue.
"""

import asyncio
import atexit
import hashlib
import logging
import os
import re
import threading
from collections import deque
from typing import Any

from channels.layers import get_channel_layer

from config.live.quiet import Repeated

logger = logging.getLogger(__name__)

# Past this the oldest are dropped; listeners fetch them from Postgres instead.
LONGEST_QUEUE = 10_000
SEND_SECONDS = 2.0
# How long a process that ends waits for the queue to drain.
DRAIN_SECONDS = 1.0
PAUSE_AFTER_FAILURE_SECONDS = 0.2
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,80}")

Message = dict[str, Any]


def group_name(topic: str) -> str:
    """The channel layer's group of a topic: ASCII letters, digits, dots, hyphens, underscores, fewer than 100."""
    if _PLAIN.fullmatch(topic):
        return f"live.t.{topic}"
    return f"live.h.{hashlib.sha256(topic.encode()).hexdigest()}"


def event(topic: str, seq: int, frame: str) -> None:
    send(topic, {"type": "live.event", "topic": topic, "seq": seq, "frame": frame})


def signal(topic: str, frame: str, origin: str = "") -> None:
    """`origin` is the hub that has told its own sockets already."""
    send(topic, {"type": "live.signal", "topic": topic, "frame": frame, "origin": origin})


def send(topic: str, message: Message) -> None:
    """From any thread; never blocks, never raises."""
    _sender.put(group_name(topic), message)


class _Sender:
    def __init__(self) -> None:
        self.queue: deque[tuple[str, Message]] = deque(maxlen=LONGEST_QUEUE)
        self.lock = threading.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.wake: asyncio.Event | None = None
        self.thread: threading.Thread | None = None
        self.ending = False
        self.failed = Repeated(logger, "Live nudges cannot be sent, listeners fetch by themselves.")

    def put(self, group: str, message: Message) -> None:
        try:
            self.queue.append((group, message))
            if self.thread is None:
                self._start()
            self._wake()
        except Exception as error:  # noqa: BLE001 - what calls this has committed already
            self.failed(error)

    def close(self) -> None:
        """Drains, for a moment at most."""
        self.ending = True
        if self.thread is not None:
            self._wake()
            self.thread.join(DRAIN_SECONDS)

    def _start(self) -> None:
        with self.lock:
            if self.thread is None:
                # Imports Redis's client here: a fork while the thread was doing it would leave the child half of it.
                get_channel_layer()
                ready = threading.Event()
                # Daemon: a Redis that does not answer must not hold up the end of the process.
                self.thread = threading.Thread(target=self._run, args=(ready,), name="live-nudge", daemon=True)
                self.thread.start()
                ready.wait()

    def _wake(self) -> None:
        if self.loop is not None and self.wake is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.wake.set)

    def _run(self, ready: threading.Event) -> None:
        self.loop, self.wake = asyncio.new_event_loop(), asyncio.Event()
        ready.set()
        try:
            self.loop.run_until_complete(self._send_all(self.wake))
        finally:
            self.loop.close()

    async def _send_all(self, wake: asyncio.Event) -> None:
        while not (self.ending and not self.queue):
            wake.clear()
            while self.queue:
                group, message = self.queue.popleft()
                await self._send(group, message)
            if not self.ending:
                await wake.wait()

    async def _send(self, group: str, message: Message) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await get_channel_layer().group_send(group, message)
        except Exception as error:  # noqa: BLE001 - whatever Redis does, the commit stands and hubs catch up
            # What waits behind it is as good as lost, and old by the time Redis is back.
            self.queue.clear()
            self.failed(error)
            await asyncio.sleep(0 if self.ending else PAUSE_AFTER_FAILURE_SECONDS)


_sender = _Sender()


def _after_fork() -> None:
    """A forked child has no copy of the thread, only of its queue: it starts one of its own."""
    global _sender
    _sender = _Sender()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: _sender.close())
