"""Clients that stop reading: told to reconnect, cut off if need be, and of no consequence for anybody else."""

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress

import websockets
from asgiref.sync import sync_to_async

from config.live import events
from tests.live.test_publishing import a_topic
from tests.live.test_socket import say
from tests.live.web import Client, Web, connected

FRAMES = 2000
SIZE = 8000
# What is sent is 16 MB for each of the five that do not read; bounded, it is a box and a buffer for each.
GROWTH_MIB = 25


def not_reading(server: Web) -> AbstractAsyncContextManager[Client]:
    """Takes nothing it is not asked for: once its short queue is full it leaves the rest to the kernel."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.connect(("127.0.0.1", server.port))
    return connected(server, sock=sock, max_queue=1, ping_interval=None, close_timeout=0.1)


async def listen(client: Client, seqs: list[int], halfway: asyncio.Event | None = None) -> list[int]:
    while not seqs or seqs[-1] < FRAMES:
        frame = await client.hear(60)
        if frame["op"] == "event":
            seqs.append(frame["seq"])
        if halfway and len(seqs) == FRAMES // 2:
            halfway.set()
    return seqs


async def fill(topic: str) -> None:
    for n in range(FRAMES // 40):
        await say(topic, *[f"{n:04}" + "x" * SIZE] * 40)


async def test_five_that_stop_reading_are_closed_and_change_nothing_for_the_rest(server):
    topic = a_topic()
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(not_reading(server)) for _ in range(5)]
        quick = [await stack.enter_async_context(connected(server, max_queue=None)) for _ in range(3)]
        for client in (*slow, *quick):
            await client.subscribe(topic)
        before = server.resident_mib()
        halfway = asyncio.Event()
        listening = [asyncio.create_task(listen(client, [], halfway)) for client in quick]
        # One wakes up in time to hear why it was closed; it comes back and misses nothing.
        waking = asyncio.create_task(wake_up(slow[0], halfway))
        await fill(topic)
        grown = server.resident_mib() - before
        for task in listening:
            assert await task == list(range(1, FRAMES + 1))
        got = await waking
        assert slow[0].connection.close_code == 4408
        again = await stack.enter_async_context(connected(server, max_queue=None))
        await again.tell(op="subscribe", topic=topic, after=got[-1])
        assert await listen(again, got) == list(range(1, FRAMES + 1))
        for never_reads in slow[1:]:
            await is_cut_off(server, never_reads)
    assert grown < GROWTH_MIB


async def wake_up(client: Client, halfway: asyncio.Event) -> list[int]:
    """Reads on when the others are half through, until the socket is closed."""
    await halfway.wait()
    got: list[int] = []
    with suppress(websockets.ConnectionClosed):
        await listen(client, got)
    return got


async def is_cut_off(server: Web, client: Client) -> None:
    port = client.connection.local_address[1]
    async with asyncio.timeout(15):
        while server.has_connection_from(port):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.1)


async def test_a_long_replay_to_a_slow_client_waits_for_it(server):
    topic = a_topic()
    await fill(topic)
    before = server.resident_mib()
    async with not_reading(server) as slow:
        await slow.tell(op="subscribe", topic=topic, after=0)
        first = await slow.event()
        await asyncio.sleep(3)
        assert server.resident_mib() - before < GROWTH_MIB
        assert first["seq"] == 1
        assert await listen(slow, [1]) == list(range(1, FRAMES + 1))
        assert (await slow.op("subscribed"))["seq"] == await sync_to_async(events.head)(topic)
