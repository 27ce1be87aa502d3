"""What goes down one socket: written at once while the client reads, kept in a bounded box while it does not."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, MutableMapping
from typing import Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# A client that is further behind than this is told to reconnect and resume.
BOX_FRAMES = 256
BOX_CHARACTERS = 1024 * 1024


class Outlet:
    """`write` never waits: it advances the server's `send` by one step by hand, which is enough unless the client's
    buffers are full. Then a task takes over, and frames that follow wait in the box. No task or queue is spent on
    sockets that keep up, and none that does not can hold up the others."""

    __slots__ = ("_box", "_draining", "_on_full", "_on_gone", "_send", "_size", "closed")

    def __init__(self, send: Send, *, on_full: Callable[[], None], on_gone: Callable[[], None]) -> None:
        self._send = send
        self._on_full = on_full
        self._on_gone = on_gone
        self._box: deque[str] = deque()
        self._size = 0
        self._draining: asyncio.Task[None] | None = None
        self.closed = False

    def write(self, frame: str) -> None:
        if self.closed:
            return
        if self._draining is not None:
            self._keep(frame)
            return
        step = _coroutine(self._send({"type": "websocket.send", "text": frame}))
        try:
            waits_for = step.send(None)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 - each server has its own error for a client that went away
            self._gone()
            return
        self._draining = asyncio.get_running_loop().create_task(self._drain(_Begun(step, waits_for)))

    async def put(self, frame: str) -> None:
        """As `write`, but waits for a slow client: for replays, which must not overflow the box."""
        while self._draining is not None:
            await asyncio.wait({self._draining})
        self.write(frame)

    def close(self) -> None:
        """Nothing more goes out; what waits is dropped."""
        self.closed = True
        self._box.clear()
        if self._draining is not None:
            self._draining.cancel()
            # A task that had not begun yet never gets to do this itself.
            self._draining = None

    def _keep(self, frame: str) -> None:
        if len(self._box) >= BOX_FRAMES or self._size + len(frame) > BOX_CHARACTERS:
            self._on_full()
            return
        self._box.append(frame)
        self._size += len(frame)

    async def _drain(self, begun: "_Begun") -> None:
        try:
            await begun
            while self._box:
                frame = self._box.popleft()
                self._size -= len(frame)
                await self._send({"type": "websocket.send", "text": frame})
        except Exception:  # noqa: BLE001 - as above
            self._gone()
        finally:
            self._draining = None

    def _gone(self) -> None:
        self.close()
        self._on_gone()


class _Begun:
    """Awaits the rest of a coroutine whose first step was made by hand and left it waiting for something."""

    __slots__ = ("_step", "_waits_for")

    def __init__(self, step: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._step = step
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:
        waits_for = self._waits_for
        try:
            while True:
                try:
                    answer = yield waits_for
                except BaseException as error:  # noqa: BLE001 - cancellation too belongs to the coroutine
                    waits_for = self._step.throw(error)
                else:
                    waits_for = self._step.send(answer)
        except StopIteration:
            return


def _coroutine(sending: Awaitable[None]) -> Coroutine[Any, Any, None]:
    if not isinstance(sending, Coroutine):
        raise TypeError(f"cannot step through {type(sending).__name__}: the ASGI send must be a coroutine function")
    return sending
