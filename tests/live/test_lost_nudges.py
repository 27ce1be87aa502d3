"""Redis only makes it faster: dropped, dead or restarted, every client still gets everything, once and in order."""

import asyncio
import subprocess
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from config.live import nudge
from config.run.embedded import Valkey
from tests.live.test_publishing import a_topic
from tests.live.test_socket import say
from tests.live.web import Client, connected, web


async def seqs(client: Client, last: int, seconds: float = 10) -> list[int]:
    frames = await client.until(lambda f: f["op"] == "event" and f["seq"] == last, seconds)
    return [f["seq"] for f in frames]


async def test_dropped_nudges_are_made_up_for_within_seconds(server, no_nudges):
    topic = a_topic()
    async with connected(server) as ben, connected(server, "bea") as bea:
        await ben.subscribe(topic)
        await bea.subscribe(topic)
        await say(topic, *["x"] * 250)
        assert await seqs(ben, 250, 5) == list(range(1, 251))
        assert await seqs(bea, 250, 5) == list(range(1, 251))


async def test_a_gap_is_filled_from_the_log_at_once(server, monkeypatch):
    topic, send = a_topic(), nudge.send
    async with connected(server) as ben:
        await ben.subscribe(topic)
        monkeypatch.setattr(nudge, "send", lambda topic, message: None)
        await say(topic, "lost", "lost too")
        monkeypatch.setattr(nudge, "send", send)
        await say(topic, "arrives")
        assert await seqs(ben, 3, 2) == [1, 2, 3]


async def test_a_nudge_that_comes_twice_or_late_is_ignored(server, monkeypatch):
    topic, sent, send = a_topic(), [], nudge.send
    async with connected(server) as ben:
        await ben.subscribe(topic)
        monkeypatch.setattr(nudge, "send", lambda *what: sent.append(what))
        await say(topic, "one", "two", "three")
        for place in (0, 0, 2, 1, 2, 0):
            send(*sent[place])
        assert await seqs(ben, 3) == [1, 2, 3]
        await ben.tell(op="ping")
        await ben.op("pong")


async def test_restored_from_a_backup_clients_are_told_to_load_the_snapshot(server):
    topic = a_topic()
    await say(topic, "one", "two")

    @sync_to_async
    def restore() -> None:
        with connection.cursor() as cursor:
            cursor.execute("update live_topic set seq = 1 where name = %s", [topic])
            cursor.execute("delete from live_event where topic = %s and seq > 1", [topic])

    async with connected(server) as ben:
        assert (await ben.subscribe(topic))["seq"] == 2
        await restore()
        assert await ben.op("reset", 6) == {"op": "reset", "topic": topic, "seq": 2, "head": 1}
        assert (await ben.subscribe(topic, 1))["op"] == "subscribed"


async def test_events_pruned_before_they_were_seen_are_a_reset(server, no_nudges):
    topic = a_topic()

    @sync_to_async
    def write_and_forget() -> None:
        with connection.cursor() as cursor:
            cursor.execute("insert into live_topic (name, seq) values (%s, 5)", [topic])

    async with connected(server) as ben:
        await ben.subscribe(topic)
        await write_and_forget()
        assert await ben.op("reset", 6) == {"op": "reset", "topic": topic, "seq": 0, "head": 5}


@contextmanager
def valkey(folder: Path):
    running = Valkey(folder / "v.sock", folder)
    process = subprocess.Popen(running.command(), stdout=subprocess.DEVNULL)
    try:
        while not running.socket.exists():
            assert process.poll() is None
        yield running
    finally:
        process.kill()
        process.wait()
        running.socket.unlink(missing_ok=True)


def layer(url: str) -> dict[str, object]:
    backend = settings.CHANNEL_LAYERS["default"]["BACKEND"]
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": [{"address": url}], "prefix": settings.REDIS_PREFIX}}}


async def test_redis_killed_and_started_again(tmp_path, settings):
    topic, later = a_topic(), a_topic()
    url = Valkey(tmp_path / "v.sock", tmp_path).url
    settings.CHANNEL_LAYERS = layer(url)
    async with AsyncExitStack() as stack:
        with valkey(tmp_path):
            running = stack.enter_context(web("daphne", tmp_path / "web.log", REDIS_URL=url))
            ben = await stack.enter_async_context(connected(running))
            await ben.subscribe(topic)
            await say(topic, "with redis")
            assert await seqs(ben, 1, 2) == [1]
        await say(topic, "without redis")
        assert await seqs(ben, 2, 6) == [2]
        # A topic that nobody followed before has to join its group once Redis is back.
        await ben.subscribe(later)
        await say(later, "without redis")
        assert await seqs(ben, 1, 6) == [1]
        with valkey(tmp_path):
            await _is_nudged_again(ben, topic, 3)
            await _is_nudged_again(ben, later, 2)


async def test_redis_not_there_when_the_server_starts(tmp_path, settings):
    topic = a_topic()
    url = Valkey(tmp_path / "v.sock", tmp_path).url
    settings.CHANNEL_LAYERS = layer(url)
    with web("uvicorn", tmp_path / "web.log", REDIS_URL=url) as running:
        async with connected(running) as ben:
            await ben.subscribe(topic)
            await say(topic, "without redis")
            assert await seqs(ben, 1, 6) == [1]
            with valkey(tmp_path):
                await _is_nudged_again(ben, topic, 2)


async def _is_nudged_again(ben: Client, topic: str, seq: int) -> None:
    """Faster than the heads could bring it, ten times running."""
    quick = 0
    async with asyncio.timeout(30):
        while quick < 10:
            started = asyncio.get_running_loop().time()
            await say(topic, "again")
            assert await seqs(ben, seq) == [seq]
            seq += 1
            quick = quick + 1 if asyncio.get_running_loop().time() - started < 0.25 else 0


@pytest.mark.parametrize("name", ["daphne", "uvicorn"])
async def test_the_database_may_drop_every_connection(name, servers):
    topic = a_topic()
    async with connected(servers[name]) as ben:
        await ben.subscribe(topic)
        await say(topic, "before")
        assert await seqs(ben, 1) == [1]
        await sync_to_async(_cut_off)(f"web-{name}")
        await say(topic, "after")
        assert await seqs(ben, 2) == [2]
        other = a_topic()
        assert (await ben.subscribe(other))["op"] == "subscribed"
        await ben.tell(op="subscribe", topic=topic, after=0)
        assert await seqs(ben, 2) == [1, 2]


def _cut_off(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = %s", [name]
        )
        row = cursor.fetchone()
        assert row is not None
        assert row[0] > 0


async def test_publishing_does_not_wait_for_a_redis_that_is_away(settings, tmp_path):
    settings.CHANNEL_LAYERS = layer(f"unix://{tmp_path}/nobody.sock")
    topic = a_topic()
    started = asyncio.get_running_loop().time()
    for n in range(50):
        await say(topic, str(n))
    assert asyncio.get_running_loop().time() - started < 5
