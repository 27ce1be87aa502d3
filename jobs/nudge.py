"""Nudges a worker with an empty Celery message. Losing one is harmless: workers look for themselves every second.

Whoever commits must never wait for Redis, so one background thread per process sends; callers only ring a bell, which
is the same from sync and async code. Ringing while a nudge is under way, or within a few milliseconds of the last one,
makes one message. The message is pushed onto Celery's queue directly, and only when none waits there already, because
that one is still ahead of whoever reads it: the queue never grows, however long no worker runs.
"""

import base64
import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from typing import TypeAlias

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

# Told whether something of one kind may be due, or None for either.
Listener: TypeAlias = Callable[[bool | None], None]

TASK = "jobs.drain"
BETWEEN_NUDGES_SECONDS = 0.01
REDIS_SECONDS = 0.1
# After a failure nobody tries for so long; the workers' own look each second covers it.
OPEN_CIRCUIT_SECONDS = 2.0
LOG_EVERY_SECONDS = 30.0
PUSH_IF_EMPTY = "return redis.call('LLEN', KEYS[1]) == 0 and redis.call('LPUSH', KEYS[1], ARGV[1])"


def queue_name() -> str:
    """A queue for nudges alone: a cron's message waiting in the other one is no nudge."""
    return f"{settings.REDIS_PREFIX}.nudge"


def message() -> str:
    """An empty task message as Celery's Redis transport writes it (protocol 2)."""
    ident = str(uuid.uuid4())
    body = json.dumps([[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    return json.dumps(
        {
            "body": base64.b64encode(body.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"lang": "py", "task": TASK, "id": ident, "root_id": ident, "retries": 0, "ignore_result": True},
            "properties": {
                "correlation_id": ident,
                "delivery_mode": 1,
                "delivery_info": {"exchange": "", "routing_key": queue_name()},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": ident,
            },
        }
    )


def ring(outgoing: bool | None = None) -> None:
    """From any thread or event loop; never blocks, never raises."""
    if not ring_here(outgoing):
        _nudger.ring()


def ring_here(outgoing: bool | None = None) -> bool:
    """Wakes the worker in this process; False when there is none."""
    for listener in _local:
        listener(outgoing)
    return bool(_local)


def listen(listener: Listener) -> None:
    """A worker in this process needs no message to hear of what its own jobs enqueue."""
    _local.append(listener)


def unlisten(listener: Listener) -> None:
    """Once or twice, so that a worker may be told to stop by two."""
    if listener in _local:
        _local.remove(listener)


class Nudger:
    def __init__(self) -> None:
        self.bell = threading.Event()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None
        self.client: redis.Redis | None = None
        self.logged_at = float("-inf")

    def ring(self) -> None:
        self.bell.set()
        if self.thread is None:
            self._start()

    def _start(self) -> None:
        with self.lock:
            if self.thread is None:
                # Daemon: a Redis that does not answer must not hold up the end of the process.
                self.thread = threading.Thread(target=self._run, name="jobs-nudge", daemon=True)
                self.thread.start()

    def _run(self) -> None:
        while True:
            self.bell.wait()
            self.bell.clear()
            time.sleep(BETWEEN_NUDGES_SECONDS if self._send() else OPEN_CIRCUIT_SECONDS)

    def _send(self) -> bool:
        try:
            self.client = self.client or client()
            self.client.eval(PUSH_IF_EMPTY, 1, queue_name(), message())
        except (redis.RedisError, OSError) as error:
            self._log(error)
            return False
        return True

    def _log(self, error: Exception) -> None:
        if time.monotonic() - self.logged_at > LOG_EVERY_SECONDS:
            self.logged_at = time.monotonic()
            logger.warning("Workers cannot be nudged and look for themselves: %s", type(error).__name__)


def client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


_nudger = Nudger()
_local: list[Listener] = []


def _after_fork() -> None:
    """A forked child has neither the thread nor a connection of its own."""
    global _nudger
    _nudger = Nudger()


os.register_at_fork(after_in_child=_after_fork)
