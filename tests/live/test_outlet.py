"""Writing to one socket, step by step, against a server that lets us decide when it has room."""

import asyncio
from typing import Any

from config.live.outlet import BOX_CHARACTERS, BOX_FRAMES, Outlet


class Transport:
    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self.sent: list[str] = []
        self.broken = False

    async def send(self, message: Any) -> None:
        await self.room.wait()
        if self.broken:
            raise OSError("gone")
        self.sent.append(message["text"])


class Ended:
    def __init__(self) -> None:
        self.full = self.gone = 0

    def outlet(self, transport: Transport) -> Outlet:
        return Outlet(transport.send, on_full=self.on_full, on_gone=self.on_gone)

    def on_full(self) -> None:
        self.full += 1

    def on_gone(self) -> None:
        self.gone += 1


async def drained(outlet: Outlet) -> None:
    async with asyncio.timeout(5):
        while (draining := outlet._draining) is not None:
            await asyncio.wait({draining})


async def test_with_room_a_frame_is_out_before_write_returns_and_no_task_is_made():
    transport, ended = Transport(), Ended()
    outlet, tasks = ended.outlet(transport), len(asyncio.all_tasks())
    outlet.write("one")
    outlet.write("two")
    assert transport.sent == ["one", "two"]
    assert len(asyncio.all_tasks()) == tasks


async def test_without_room_frames_wait_in_order():
    transport, ended = Transport(), Ended()
    outlet = ended.outlet(transport)
    transport.room.clear()
    frames = [str(n) for n in range(100)]
    for frame in frames:
        outlet.write(frame)
    await asyncio.sleep(0)
    assert transport.sent == []
    transport.room.set()
    await drained(outlet)
    assert transport.sent == frames
    outlet.write("at once again")
    assert transport.sent[-1] == "at once again"


async def test_the_box_is_bounded_by_frames_and_by_size():
    for frame, most in (("x", BOX_FRAMES), ("x" * 100_000, BOX_CHARACTERS // 100_000)):
        transport, ended = Transport(), Ended()
        outlet = ended.outlet(transport)
        transport.room.clear()
        for _ in range(1 + most):
            outlet.write(frame)
        assert ended.full == 0
        outlet.write(frame)
        assert ended.full == 1
        outlet.close()
        outlet.write("nothing more")
        await drained(outlet)
        assert transport.sent == []


async def test_a_client_that_goes_away_is_noticed_at_once_or_while_waiting():
    transport, ended = Transport(), Ended()
    outlet = ended.outlet(transport)
    transport.broken = True
    outlet.write("into the void")
    assert ended.gone == 1
    waiting = ended.outlet(transport)
    transport.room.clear()
    waiting.write("into the void")
    transport.room.set()
    await drained(waiting)
    assert ended.gone == 2


async def test_put_waits_for_room():
    transport, ended = Transport(), Ended()
    outlet = ended.outlet(transport)
    transport.room.clear()
    outlet.write("first")

    async def put_all() -> None:
        for n in range(2 * BOX_FRAMES):
            await outlet.put(str(n))

    putting = asyncio.create_task(put_all())
    await asyncio.sleep(0)
    assert not putting.done()
    transport.room.set()
    await putting
    await drained(outlet)
    assert transport.sent == ["first", *(str(n) for n in range(2 * BOX_FRAMES))]
    assert ended.full == 0
