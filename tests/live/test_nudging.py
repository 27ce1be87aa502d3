"""Telling other processes from sync code: in a thread of its own, across forks, and without holding up anything."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import time

import pytest
from asgiref.sync import sync_to_async
from channels.layers import InMemoryChannelLayer, get_channel_layer

from config.live import nudge
from config.live.nudge import group_name
from tests.live.test_lost_nudges import layer
from tests.live.test_publishing import a_topic
from tests.live.test_socket import say
from tests.live.web import ROOT


def run(how: str, topic: str, **environment: str) -> str:
    """What it says: how many seconds its end took."""
    command = [sys.executable, "-m", "tests.live.publisher", how, topic]
    given = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True)
    said = [line for line in done.stderr.splitlines() if "cannot be sent" not in line or not environment]
    assert said == []
    return done.stdout.splitlines()[-1]


async def nudges_of(topic: str, how: str) -> list[int]:
    channels = get_channel_layer()
    channel = await channels.new_channel()
    await channels.group_add(group_name(topic), channel)
    await asyncio.to_thread(run, how, topic)
    seqs: list[int] = []
    try:
        while True:
            async with asyncio.timeout(0.5):
                seqs.append((await channels.receive(channel))["seq"])
    except TimeoutError:
        await channels.flush()
    return seqs


async def test_a_process_that_ends_sends_what_it_has_first():
    assert await nudges_of(a_topic(), "many") == list(range(1, 201))


async def test_a_forked_child_has_a_sender_of_its_own():
    # The two race to Redis, so the order is open.
    assert sorted(await nudges_of(a_topic(), "forked")) == [1, 2, 3]


async def test_a_process_ends_soon_though_redis_does_not_answer(tmp_path):
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        said = await asyncio.to_thread(run, "many", a_topic(), REDIS_URL=f"unix://{tmp_path}/silent.sock")
    assert float(said) < nudge.DRAIN_SECONDS + 1


async def test_a_redis_that_is_away_is_logged_once_and_holds_up_nothing(settings, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(nudge, "_sender", nudge._Sender())
    settings.CHANNEL_LAYERS = layer(f"unix://{tmp_path}/nobody.sock")
    topic = a_topic()
    with caplog.at_level(logging.WARNING, logger="config.live.nudge"):
        started = time.monotonic()
        for n in range(100):
            await say(topic, str(n))
        assert time.monotonic() - started < 10
        async with asyncio.timeout(10):
            while not caplog.records:  # noqa: ASYNC110 - the thread that logs knows no event of ours
                await asyncio.sleep(0.05)
        await say(topic, "again")
        await sync_to_async(nudge._sender.close)()
    assert [record.getMessage().split(",")[0] for record in caplog.records] == ["Live nudges cannot be sent"]


@pytest.mark.parametrize(
    "topic", ["inbox.demo", f"conversation.{'0' * 36}", "leaderboard.KIDS1", "exam.x" * 50, "chat.é", "a b", ""]
)
def test_group_names_keep_the_layers_rules(topic):
    name = group_name(topic)
    InMemoryChannelLayer().require_valid_group_name(name)
    assert len(name) < 100


def test_different_topics_have_different_groups():
    topics = ["a.b", "a.B", "a_b", "a b", "a.é", "a.e", "x" * 90, "x" * 91]
    assert len({group_name(topic) for topic in topics}) == len(topics)
