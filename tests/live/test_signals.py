"""Signals: unnumbered, to the others on a topic, signed with the sender's name."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from config.live import events
from tests.live.test_publishing import a_topic
from tests.live.test_socket import say
from tests.live.web import connected


async def test_typing_reaches_the_others_and_is_signed_by_the_server(server):
    topic = a_topic()
    async with connected(server, "ben") as ben, connected(server, "bea") as bea:
        await ben.subscribe(topic)
        await bea.subscribe(topic)
        forged = {"typing": True, "user": "bea"}
        await ben.tell(op="signal", topic=topic, type="typing", data=forged)
        assert await bea.op("signal") == {
            "op": "signal",
            "topic": topic,
            "type": "typing",
            "data": {"typing": True, "user": {"id": "user:ben", "name": "Ben"}},
        }
        await ben.tell(op="ping")
        await ben.op("pong")


async def test_signals_cross_processes(servers):
    topic, one, two = a_topic(), servers["daphne"], servers["uvicorn"]
    async with connected(one, "ben") as ben, connected(two, "bea") as bea, connected(two, "cleo") as cleo:
        for client in (ben, bea, cleo):
            await client.subscribe(topic)
        await bea.tell(op="signal", topic=topic, type="typing", data={"typing": True})
        for client in (ben, cleo):
            assert (await client.op("signal"))["data"]["user"]["name"] == "Bea"
        await say(topic, "for all")
        for client in (ben, bea, cleo):
            # Once each: the process that relayed it does not hear it again from Redis.
            assert (await client.event())["seq"] == 1
    assert await sync_to_async(events.head)(topic) == 1


async def test_a_service_signals_without_a_number(server):
    topic = a_topic()
    async with connected(server) as ben:
        await ben.subscribe(topic)
        await sync_to_async(events.signal)(topic, "counts", {"all": 3})
        assert await ben.op("signal") == {"op": "signal", "topic": topic, "type": "counts", "data": {"all": 3}}
    assert await sync_to_async(events.head)(topic) == 0


@pytest.mark.parametrize(
    ("type_", "data"),
    [("typing", []), ("typing", {"text": "x" * 100}), ("typing", {"a": {}}), ("message.created", {}), (7, {})],
)
async def test_a_signal_is_small_and_of_a_known_type(server, type_, data):
    topic = a_topic()
    async with connected(server) as ben:
        await ben.subscribe(topic)
        await ben.tell(op="signal", topic=topic, type=type_, data=data)
        assert (await ben.op("error"))["code"] == "invalid"


async def test_only_listeners_may_signal_and_not_on_every_topic(server):
    topic, board = a_topic(), a_topic("board")
    async with connected(server) as ben:
        await ben.tell(op="signal", topic=topic, type="typing", data={})
        assert (await ben.op("error"))["code"] == "not_found"
        await ben.subscribe(board)
        await ben.tell(op="signal", topic=board, type="typing", data={})
        assert (await ben.op("error"))["code"] == "invalid"


async def test_signalling_too_often_is_refused_and_the_socket_stays(server):
    topic = a_topic()
    async with connected(server) as ben:
        await ben.subscribe(topic)
        for _ in range(40):
            await ben.tell(op="signal", topic=topic, type="typing", data={})
        assert (await ben.op("error"))["code"] == "too_many"
        await asyncio.sleep(0)
        await ben.tell(op="ping")
        await ben.until(lambda f: f["op"] == "pong")


async def test_whoever_says_that_they_type_without_saying_more_types(server):
    topic = a_topic()
    async with connected(server, "ben") as ben, connected(server, "bea") as bea:
        await ben.subscribe(topic)
        await bea.subscribe(topic)
        for given, heard in (({}, True), (None, True), ({"typing": False}, False)):
            await ben.tell(op="signal", topic=topic, type="typing", data=given)
            assert (await bea.op("signal"))["data"]["typing"] is heard


async def test_a_topic_that_no_database_could_name_does_not_exist(server):
    async with connected(server, "ben") as ben:
        await ben.tell(op="subscribe", topic="board.a\0b", after=None)
        assert (await ben.op("error"))["code"] == "not_found"
