"""Tells other processes at once that something was committed. Losing a nudge is harmless: hubs look for themselves.

Sync code may not open an event loop or a connection for each call, nor wait for Redis, so one background thread for
each process sends from a bounded queue.
"""

import atexit
import hashlib
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, cast

import redis
from channels.layers import get_channel_layer
from channels_redis.pubsub import RedisPubSubLoopLayer
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.live.quiet import Repeated

logger = logging.getLogger(__name__)

# Past this the oldest are dropped; listeners fetch them from Postgres instead.
LONGEST_QUEUE = 10_000
MOST_AT_ONCE = 100
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
        self.wake = threading.Event()
        self.thread: threading.Thread | None = None
        self.ending = False
        self.failed = Repeated(logger, "Live nudges cannot be sent, listeners fetch by themselves.")

    def put(self, group: str, message: Message) -> None:
        try:
            self.queue.append((group, message))
            if self.thread is None:
                self._start()
            if not self.wake.is_set():  # telling it once is enough, and saying so costs a lock
                self.wake.set()
        except Exception as error:  # noqa: BLE001 - what calls this has committed already
            self.failed(error)

    def close(self) -> None:
        """Drains, for a moment at most."""
        self.ending = True
        if self.thread is not None:
            self.wake.set()
            self.thread.join(DRAIN_SECONDS)

    def _start(self) -> None:
        with self.lock:
            if self.thread is None:
                # Imports the serialiser here: a fork while the thread was doing it would leave the child half of it.
                get_channel_layer()
                # Daemon: a Redis that does not answer must not hold up the end of the process.
                self.thread = threading.Thread(target=self._run, name="live-nudge", daemon=True)
                self.thread.start()

    def _run(self) -> None:
        while not (self.ending and not self.queue):
            self.wake.wait()
            self.wake.clear()
            while self.queue:
                self._send([self.queue.popleft() for _ in range(min(len(self.queue), MOST_AT_ONCE))])

    def _send(self, batch: Sequence[tuple[str, Message]]) -> None:
        try:
            _publish(batch)
        except Exception as error:  # noqa: BLE001 - whatever Redis does, the commit stands and hubs catch up
            # What waits behind it is as good as lost, and old by the time Redis is back.
            self.queue.clear()
            self.failed(error)
            time.sleep(0 if self.ending else PAUSE_AFTER_FAILURE_SECONDS)


def _publish(batch: Sequence[tuple[str, Message]]) -> None:
    """As the channel layer's `group_send` does it for each, in one round trip and without a loop: what a commit tells
    goes to several groups."""
    layer, layers = get_channel_layer(), cast("dict[str, Any]", settings.CHANNEL_LAYERS)
    given = layers["default"]["CONFIG"]
    name_of = _naming(given["prefix"])
    with _client(given["hosts"][0]["address"]).pipeline(transaction=False) as pipe:
        for group, message in batch:
            pipe.publish(name_of(group), layer.serialize(message))
        pipe.execute()


@lru_cache(maxsize=2)
def _naming(prefix: str) -> Callable[[str], str]:
    """What the layer calls its groups, asked of one that never connects: the one in use wants a loop even for that."""
    name_of: Callable[[str], str] = RedisPubSubLoopLayer(prefix=prefix)._get_group_channel_name
    return name_of


@lru_cache(maxsize=2)
def _client(url: str) -> redis.Redis:
    """One try anew, for a connection that Redis has closed meanwhile."""
    return redis.Redis.from_url(
        url, socket_timeout=SEND_SECONDS, socket_connect_timeout=SEND_SECONDS, retry=Retry(NoBackoff(), 1)
    )


_sender = _Sender()


def _after_fork() -> None:
    """A forked child has no copy of the thread, only of its queue, and of its connection: it starts ones of its own."""
    global _sender
    _sender = _Sender()
    _client.cache_clear()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: _sender.close())
