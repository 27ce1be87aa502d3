"""Nudges: at once, few, and of no concern to whoever commits."""

import asyncio
import json
import socket
import time
import uuid
from collections.abc import Iterator

import pytest
import redis
from django.db import transaction

from jobs import nudge, queue
from tests.waiting import wait_for


@pytest.fixture
def nudger(monkeypatch: pytest.MonkeyPatch, settings) -> nudge.Nudger:
    """One of its own, with a queue of its own."""
    settings.REDIS_PREFIX = f"nudge-{uuid.uuid4().hex}"
    made = nudge.Nudger()
    monkeypatch.setattr(nudge, "_nudger", made)
    return made


@pytest.fixture
def client() -> Iterator["redis.Redis"]:
    made = nudge.client()
    yield made
    made.close()


def waiting(client: "redis.Redis") -> int:
    return int(client.llen(nudge.queue_name()))  # type: ignore[arg-type]


def test_commit_nudges_and_a_rollback_does_not(nudger: nudge.Nudger, client: "redis.Redis"):
    with transaction.atomic():
        queue.wake()
        transaction.set_rollback(True)
    assert nudger.thread is None
    with transaction.atomic():
        queue.wake()
        assert nudger.thread is None
    wait_for(lambda: waiting(client) == 1)


def test_message_is_empty_and_names_our_task(nudger: nudge.Nudger, client: "redis.Redis"):
    nudge.ring()
    wait_for(lambda: waiting(client) == 1)
    message = json.loads(client.lpop(nudge.queue_name()))  # type: ignore[arg-type]
    assert message["headers"]["task"] == "jobs.drain"


def test_thousand_rings_leave_one_message(nudger: nudge.Nudger, client: "redis.Redis", monkeypatch: pytest.MonkeyPatch):
    sent = []
    send = nudger._send

    def counted() -> bool:
        sent.append(1)
        return send()

    monkeypatch.setattr(nudger, "_send", counted)
    for _ in range(1000):
        nudge.ring()
    wait_for(lambda: not nudger.bell.is_set())
    assert waiting(client) == 1
    assert len(sent) < 100


def test_ring_after_a_worker_took_the_message_makes_another(nudger: nudge.Nudger, client: "redis.Redis"):
    for _ in range(3):
        nudge.ring()
        wait_for(lambda: waiting(client) == 1)
        client.delete(nudge.queue_name())


async def test_hot_road_rings_without_waiting(nudger: nudge.Nudger, client: "redis.Redis"):
    await queue.awake()
    await asyncio.to_thread(wait_for, lambda: waiting(client) == 1)


def test_commit_does_not_wait_for_a_redis_that_never_answers(nudger: nudge.Nudger, settings):
    with socket.create_server(("127.0.0.1", 0), backlog=8) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        for _ in range(50):
            with transaction.atomic():
                queue.wake()
        assert time.monotonic() - began < 1
        wait_for(lambda: nudger.logged_at > 0)


def test_dead_redis_is_left_alone_for_a_while(nudger: nudge.Nudger, monkeypatch: pytest.MonkeyPatch):
    sent = []

    def refuse() -> "redis.Redis":
        sent.append(1)
        raise redis.ConnectionError

    monkeypatch.setattr(nudge, "client", refuse)
    nudge.ring()
    wait_for(lambda: nudger.logged_at > 0)
    for _ in range(20):
        nudge.ring()
        time.sleep(0.01)
    assert len(sent) == 1


def test_worker_hears_of_its_own_jobs_without_redis(nudger: nudge.Nudger):
    heard: list[bool | None] = []
    nudge.listen(heard.append)
    try:
        nudge.ring()
        nudge.ring(True)
    finally:
        nudge.unlisten(heard.append)
    assert heard == [None, True]
    assert nudger.thread is None
