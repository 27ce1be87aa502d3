"""The protocol over a real socket, against both servers."""

import asyncio
import time
from uuid import uuid4

import orjson
import pytest
import websockets
from asgiref.sync import sync_to_async

from config.live import events, hub
from config.live.models import LiveEvent
from config.live.unit import unit_of_work
from tests.live.test_publishing import Noted, a_topic
from tests.live.web import connected


@sync_to_async
def say(topic: str, *texts: str) -> None:
    with unit_of_work():
        for text in texts:
            events.publish(topic, Noted(text))


async def test_from_now_brings_only_what_comes(server):
    topic = a_topic()
    await say(topic, "before")
    async with connected(server) as ben:
        assert await ben.subscribe(topic) == {"op": "subscribed", "topic": topic, "seq": 1}
        await say(topic, "after")
        event = await ben.event()
        assert event.pop("at").endswith("Z")
        assert event == {
            "op": "event",
            "topic": topic,
            "seq": 2,
            "type": "test.noted",
            "version": 1,
            "data": {"text": "after"},
        }


async def test_after_a_number_brings_everything_since_and_then_live(server):
    topic = a_topic()
    await say(topic, *(str(n) for n in range(1, 251)))
    async with connected(server) as ben:
        await ben.tell(op="subscribe", topic=topic, after=20)
        frames = await ben.until(lambda f: f["op"] == "subscribed")
        assert [f["seq"] for f in frames[:-1]] == list(range(21, 251))
        assert frames[-1]["seq"] == 250
        await say(topic, "live")
        assert (await ben.event())["seq"] == 251


async def test_replayed_and_live_frames_are_the_same(server):
    topic = a_topic()
    async with connected(server) as ben:
        await ben.subscribe(topic)
        await say(topic, "naïve 你好 😀")
        live = await ben.event()
        await ben.tell(op="subscribe", topic=topic, after=0)
        assert await ben.event() == live


@pytest.mark.parametrize("after", [1000, 2**63, 2**64 - 1])
async def test_a_number_beyond_the_newest_is_reset(server, after):
    topic = a_topic()
    await say(topic, "one")
    async with connected(server) as ben:
        assert await ben.subscribe(topic, after) == {"op": "reset", "topic": topic, "seq": after, "head": 1}
        assert (await ben.subscribe(topic, 1))["op"] == "subscribed"


async def test_a_number_older_than_what_is_kept_is_reset(server):
    topic = a_topic()
    await say(topic, "one", "two", "three")
    await sync_to_async(LiveEvent.objects.filter(topic=topic, seq__lte=2).delete)()
    async with connected(server) as ben:
        assert (await ben.subscribe(topic, 1))["op"] == "reset"
        assert (await ben.subscribe(topic, 2))["op"] == "subscribed"
        await sync_to_async(LiveEvent.objects.filter(topic=topic).delete)()
        assert (await ben.subscribe(topic, 2))["op"] == "reset"
        assert (await ben.subscribe(topic, 3))["op"] == "subscribed"


def test_heads_come_every_three_seconds():
    assert hub.HEADS_SECONDS == 3.0


async def test_heads_tell_the_newest_numbers_every_few_seconds(server):
    one, two = a_topic(), a_topic()
    async with connected(server) as ben:
        await ben.subscribe(one)
        await ben.subscribe(two)
        await say(one, "hello")
        await ben.event()
        heads = await ben.op("heads", seconds=5)
        while heads["topics"][one] == 0:
            heads = await ben.op("heads", seconds=5)
        assert heads == {"op": "heads", "topics": {one: 1, two: 0}}


async def test_subscribing_while_somebody_writes_leaves_no_gap_and_no_double(server):
    topic = a_topic()
    done = asyncio.Event()

    async def write() -> None:
        for n in range(150):
            await say(topic, *(str(n) for _ in range(1 + n % 3)))
        done.set()

    async def follow(start: float, after: int | None) -> list[int]:
        await asyncio.sleep(start)
        async with connected(server) as ben:
            await ben.tell(op="subscribe", topic=topic, after=after)
            await done.wait()
            last = await sync_to_async(events.head)(topic)
            seqs: list[int] = []
            first = after
            while not seqs or seqs[-1] < last:
                frame = await ben.hear()
                if frame["op"] == "event":
                    seqs.append(frame["seq"])
                elif frame["op"] == "subscribed" and first is None:
                    first = frame["seq"]
                    if first == last:
                        break
            assert first is not None
            assert seqs == list(range(first + 1, last + 1))
            return seqs

    starts = [follow(0.1 * n, 0 if n % 2 else None) for n in range(6)]
    await asyncio.gather(write(), *starts)


async def test_subscribing_again_starts_anew(server):
    topic = a_topic()
    await say(topic, "one", "two")
    async with connected(server) as ben:
        await ben.subscribe(topic)
        await ben.tell(op="subscribe", topic=topic, after=0)
        frames = await ben.until(lambda f: f["op"] == "subscribed")
        assert [f["seq"] for f in frames] == [1, 2, 2]
        await say(topic, "three")
        assert (await ben.event())["seq"] == 3
        await ben.tell(op="ping")
        await ben.op("pong")


async def test_unsubscribing_ends_it(server):
    topic = a_topic()
    async with connected(server) as ben:
        await ben.subscribe(topic)
        await ben.tell(op="unsubscribe", topic=topic)
        await ben.tell(op="ping")
        await ben.op("pong")
        await say(topic, "unheard")
        other = a_topic()
        await ben.subscribe(other)
        await say(other, "heard")
        assert (await ben.event())["topic"] == other


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        "null",
        '"subscribe"',
        "{}",
        '{"op":7}',
        '{"op":"subscribe"}',
        '{"op":"subscribe","topic":7}',
        '{"op":"subscribe","topic":"test.x","after":"1"}',
        '{"op":"subscribe","topic":"test.x","after":1.5}',
        '{"op":"subscribe","topic":"test.x","after":true}',
        '{"op":"subscribe","topic":"test.x","after":-1}',
        '{"op":"subscribe","topic":"test.x","after":99999999999999999999999}',
        '{"op":"unsubscribe"}',
        '{"op":"token","token":7}',
        '{"op":"signal","topic":"test.x","type":"typing"}',
        '{"op":"nonsense"}',
        b"\x00\x01",
    ],
)
async def test_a_malformed_frame_is_answered_and_the_socket_stays(server, frame):
    async with connected(server) as ben:
        await ben.connection.send(frame)
        error = await ben.op("error")
        assert error["code"] in {"invalid", "unknown_op", "not_found"}
        assert error["message"]
        await ben.tell(op="ping")
        assert await ben.hear() == {"op": "pong"}


@pytest.mark.parametrize(
    ("languages", "words"), [("", "There is no such op."), ("es-MX,en;q=0.5", "No existe esa operación.")]
)
async def test_a_refusal_is_told_in_the_language_of_the_handshake(server, languages, words):
    async with connected(server, additional_headers={"Accept-Language": languages} if languages else {}) as ben:
        await ben.tell(op="nonsense")
        assert await ben.op("error") == {"op": "error", "code": "unknown_op", "message": words}


async def test_a_frame_that_is_too_large_closes(server):
    async with connected(server) as ben:
        await ben.connection.send('{"op":"ping","x":"' + "x" * 70_000 + '"}')
        assert await ben.closed() == 1009


async def test_a_beat_of_nobody_is_refused(server):
    async with connected(server) as ben:
        await ben.tell(op="beat", session=str(uuid4()))
        assert (await ben.op("error"))["code"] == "not_signed_in"


@pytest.mark.parametrize("topic", ["nothing.here", "_access", "test", "test.", "." * 300, "board.hidden", ""])
async def test_a_topic_that_is_not_there_is_not_found(server, topic):
    async with connected(server) as ben:
        await ben.tell(op="subscribe", topic=topic)
        error = await ben.op("error")
        assert error["code"] == ("not_found" if topic else "invalid")


async def test_without_identity_there_are_public_topics_only(server):
    topic, board = a_topic(), a_topic("board")
    async with connected(server, None) as somebody:
        assert (await somebody.subscribe(topic))["code"] == "not_found"
        assert (await somebody.subscribe(board))["op"] == "subscribed"
        await say(board, "for all")
        assert (await somebody.event())["topic"] == board


async def test_too_many_topics_are_refused_one_by_one(server):
    async with connected(server) as ben:
        for n in range(201):
            await ben.tell(op="subscribe", topic=f"test.{uuid4()}-{n}")
        frames = await ben.until(lambda f: f["op"] == "error")
        assert frames[-1]["code"] == "too_many"


async def test_a_flood_closes(server):
    async with connected(server) as ben:
        for _ in range(1000):
            try:
                await ben.tell(op="ping")
            except websockets.ConnectionClosed:
                break
        assert await ben.closed() == 4429


async def test_large_frames_come_whole(server):
    topic = a_topic()
    async with connected(server, max_size=None) as ben:
        await ben.subscribe(topic)
        for size in (10, 125, 126, 1000, 65_535, 70_000, 300_000):
            await say(topic, "é" * size)
            assert len((await ben.event())["data"]["text"]) == size


async def test_an_idle_socket_stays_open(servers):
    """Longer than the five seconds after which a Redis client may give up waiting."""
    topic = a_topic()
    async with connected(servers["daphne"]) as ben, connected(servers["uvicorn"]) as bea:
        await ben.subscribe(topic)
        await bea.subscribe(topic)
        until = time.monotonic() + 7
        while time.monotonic() < until:
            assert (await ben.hear(5))["op"] == "heads"
            assert (await bea.hear(5))["op"] == "heads"
        await say(topic, "still there")
        assert (await ben.event())["data"] == {"text": "still there"}
        assert (await bea.event())["data"] == {"text": "still there"}


async def test_many_sockets_all_get_everything_in_order(server):
    topic = a_topic()
    async with connected(server) as one, connected(server) as two, connected(server, "bea") as three:
        for client in (one, two, three):
            await client.subscribe(topic)
        for n in range(30):
            await say(topic, *[f"{n}"] * 10)
        for client in (one, two, three):
            frames = await client.until(lambda f: f["op"] == "event" and f["seq"] == 300)
            assert [f["seq"] for f in frames] == list(range(1, 301))


async def test_a_burst_larger_than_every_buffer_is_delivered_to_those_who_read(server):
    topic = a_topic()
    async with connected(server, max_queue=None) as ben:
        await ben.subscribe(topic)
        await say(topic, *["x" * 4000] * 500)
        frames = await ben.until(lambda f: f["op"] == "event" and f["seq"] == 500)
        assert [f["seq"] for f in frames] == list(range(1, 501))


def test_json_of_the_contract():
    """Names that clients rely on."""
    from config.live import frames

    assert orjson.loads(frames.heads({"a.b": 1})) == {"op": "heads", "topics": {"a.b": 1}}
    assert orjson.loads(frames.PONG) == {"op": "pong"}
    assert orjson.loads(frames.error("not_found", "No.", {"topic": None})) == {
        "op": "error",
        "code": "not_found",
        "message": "No.",
    }
