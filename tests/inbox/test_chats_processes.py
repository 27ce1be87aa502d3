"""A visitor and an agent on different web processes, one of which is killed: nothing is lost, nobody stays."""

import asyncio
import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from inbox.chats.queries import team_state
from inbox.models import Channel
from tests.api import token_for
from tests.cast import Cast
from tests.inbox.test_chats import Guest, admit, make_widget, reply
from tests.live.web import Web, connected, web

PATIENCE = 30.0  # s


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Web, Web]]:
    """The product twice, on the same database and Redis."""
    with product("daphne", tmp_path / "a.log") as one, product("uvicorn", tmp_path / "b.log") as other:
        yield one, other
    connection.close()


def product(kind: str, log: Path) -> Any:
    return web(kind, log, application="config.asgi:application", SUPABASE_URL="", PROCESSES="1")


def begun(cast: Cast) -> tuple[Channel, Guest, str]:
    widget = make_widget(cast)
    guest = admit(widget, name="Lucía")
    return widget, guest, guest.start(widget, "Hola").json()["id"]


def state_on(server: Web, channel: Channel) -> str:
    path = f"http://127.0.0.1:{server.port}/api/v1/widgets/{channel.slug}/"
    with urllib.request.urlopen(path, timeout=PATIENCE) as answer:
        return str(json.load(answer)["presence"])


def wait_until(said: Callable[[], str], wanted: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while (now := said()) != wanted:
        assert time.monotonic() < deadline, now
        time.sleep(0.1)


until = sync_to_async(wait_until)


def end_of(person: UUID) -> None:
    """As if the minute had passed in which a process that died would have renewed."""
    with connection.cursor() as cursor:
        cursor.execute("update live_presence set expires_at = clock_timestamp() where person = %s", [str(person)])


async def test_typing_and_presence_cross_processes_and_end_with_the_one_that_dies(cast: Cast, two: tuple[Web, Web]):
    one, other = two
    widget, guest, chat = await sync_to_async(begun)(cast)
    token = await sync_to_async(token_for)(cast.ben)
    assert await sync_to_async(state_on)(other, widget) == "away"
    async with connected(other, guest.token) as visitor:
        async with connected(one, token) as ben:
            await ben.subscribe(f"presence.workspace.{cast.workspace.slug}")
            await until(lambda: state_on(other, widget), "online")
            await ben.subscribe(f"conversation.{chat}")
            await visitor.subscribe(f"chat.{chat}")
            await visitor.tell(op="signal", topic=f"chat.{chat}", type="typing", data={"typing": True})
            heard = await ben.until(lambda frame: frame["op"] == "signal", PATIENCE)
            assert heard[-1]["data"]["typing"] is True
            await ben.tell(op="signal", topic=f"conversation.{chat}", type="typing", data={"typing": True})
            heard = await visitor.until(lambda frame: frame["op"] == "signal", PATIENCE)
            assert heard[-1]["data"]["user"] == {"id": None, "name": "Ben"}
            one.process.send_signal(signal.SIGKILL)
            one.process.wait()
        assert await sync_to_async(state_on)(other, widget) == "online"  # nobody can know yet
        await sync_to_async(end_of)(cast.ben.pk)
        await until(lambda: state_on(other, widget), "away")
        assert await sync_to_async(team_state)(cast.workspace.pk, cast.workspace.slug) == "away"


async def test_what_is_said_while_a_process_is_dead_arrives_once_on_another(cast: Cast, two: tuple[Web, Web]):
    doomed, other = two
    _widget, guest, chat = await sync_to_async(begun)(cast)
    topic = f"chat.{chat}"
    async with connected(doomed, guest.token) as visitor:
        await visitor.subscribe(topic)
        await sync_to_async(reply)(cast, chat, "One")
        heard = [await visitor.event(PATIENCE)]
        while heard[-1]["data"].get("body") != "One":
            heard.append(await visitor.event(PATIENCE))
        doomed.process.send_signal(signal.SIGKILL)
        doomed.process.wait()
    seq = heard[-1]["seq"]
    await sync_to_async(reply)(cast, chat, "Two")
    async with connected(other, guest.token) as visitor:
        await visitor.tell(op="subscribe", topic=topic, after=seq)
        frames = await visitor.until(lambda frame: frame["op"] == "subscribed", PATIENCE)
        await sync_to_async(reply)(cast, chat, "Three")
        async with asyncio.timeout(PATIENCE):
            while frames[-1].get("data", {}).get("body") != "Three":
                frames.append(await visitor.event(PATIENCE))
    events = [frame for frame in frames if frame["op"] == "event"]
    assert [event["seq"] for event in events] == list(range(seq + 1, seq + 1 + len(events)))
    said = [event["data"]["body"] for event in events if event["type"] == "message.created"]
    assert said == ["Two", "Three"]
