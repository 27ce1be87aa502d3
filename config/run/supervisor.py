"""Starts the children in order, keeps them alive, and ends them in order: on Ctrl-C, SIGTERM or a closed terminal.

Written here because no library on offer does all of it: docs/decisions/0001-supervisor.md.
"""

import asyncio
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby

from config.run.children import Child, Starts
from config.run.errors import StartRefused
from config.run.keeper import Keeper, first_of
from config.run.printer import Printer

# `make` passes on the signal that its whole group got too: two at once are one.
SAME_SIGNAL_SECONDS = 0.5
# How long the web process may have the processor to itself before the others start all the same
WEB_ALONE_SECONDS = 8.0
WEB_SLOW_SECONDS = 60.0


class Supervisor:
    """`between` runs when the servers answer and before anything that needs them; it returns what to run once first."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        listener: socket.socket,
        between: Callable[[], Awaitable[Child | None]],
        answered: Callable[[float], str],
    ) -> None:
        self._children = sorted(children, key=lambda child: child.starts)
        self._listener = listener
        self._between = between
        self._answered = answered
        self._began = time.monotonic()
        self._printer = Printer([child.name for child in self._children])
        self._keepers: list[Keeper] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Returns when asked to end; raises when the start is refused. Either way nothing is left running."""
        self._asked, self._hurry, self._asked_at = asyncio.Event(), asyncio.Event(), 0.0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._ask_to_end)
        starting = asyncio.create_task(self._start())
        try:
            await first_of(asyncio.shield(starting), self._asked.wait())
            if starting.done():
                await starting
            await self._asked.wait()
        finally:
            starting.cancel()
            await self._end()
        self._raise_broken()

    # --- starting ---------------------------------------------------------------------------------

    async def _start(self) -> None:
        stages = {stage: list(group) for stage, group in groupby(self._children, lambda child: child.starts)}
        for child in stages.get(Starts.SERVERS, []):
            self._keep(child)
        await self._servers_or_refusal()
        if once := await self._between():
            await self._run_once(once)
        for child in stages.get(Starts.WEB, []):
            self._keep(child)
        answer = asyncio.create_task(self._first_answer())
        await asyncio.wait([answer], timeout=WEB_ALONE_SECONDS)
        for child in stages.get(Starts.BACKGROUND, []):
            self._keep(child)
        await asyncio.wait([answer], timeout=WEB_SLOW_SECONDS)
        if not answer.done():
            self._printer.say("The web process does not answer yet; what it printed above may say why.")
        await answer
        self._printer.raw(self._answered(time.monotonic() - self._began))

    def _keep(self, child: Child) -> None:
        keeper = Keeper(child, self._printer, self._nothing if child.is_server else self._servers_ready)
        self._keepers.append(keeper)
        task = asyncio.create_task(keeper.keep(), name=child.name)
        self._tasks.add(task)
        task.add_done_callback(self._kept)

    def _kept(self, task: "asyncio.Task[None]") -> None:
        """A keeper ends when asked to; anything else is a fault of ours, and half a product is worse than none."""
        if not task.cancelled() and task.exception():
            self._asked.set()

    async def _run_once(self, child: Child) -> None:
        keeper = Keeper(child, self._printer, self._nothing)
        self._keepers.append(keeper)
        code = await keeper.live_once()
        self._keepers.remove(keeper)
        if code and not self._asked.is_set():
            raise StartRefused(f"The database could not be prepared; what `{child.name}` printed says why.")

    async def _servers_or_refusal(self) -> None:
        servers = [keeper for keeper in self._keepers if keeper.child.is_server]
        ready = asyncio.ensure_future(self._servers_ready())
        await asyncio.wait([ready, *(keeper.refused for keeper in servers)], return_when=asyncio.FIRST_COMPLETED)
        for keeper in servers:
            if keeper.refused.done():
                ready.cancel()
                keeper.refused.result()

    async def _servers_ready(self) -> None:
        for keeper in self._keepers:
            if keeper.child.is_server:
                await keeper.ready.wait()

    async def _nothing(self) -> None:
        pass

    async def _first_answer(self) -> None:
        """Any HTTP answer counts as alive."""
        host, port = self._listener.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        while not await _answers(host, port):  # noqa: ASYNC110 - it is another process that we wait for
            await asyncio.sleep(0.1)

    # --- ending -------------------------------------------------------------------------------------

    def _ask_to_end(self) -> None:
        now = time.monotonic()
        if not self._asked.is_set():
            self._asked_at = now
            self._asked.set()
            self._printer.say("Ending. Once more to hurry.")
        elif now - self._asked_at > SAME_SIGNAL_SECONDS:
            self._hurry.set()

    async def _end(self) -> None:
        self._listener.close()
        by_end = sorted(self._keepers, key=lambda keeper: keeper.child.ends)
        for _, group in groupby(by_end, lambda keeper: keeper.child.ends):
            await asyncio.gather(*(keeper.end(self._hurry) for keeper in group))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._asked.is_set():
            self._printer.say("Everything has ended.")

    def _raise_broken(self) -> None:
        for task in self._tasks:
            task.result()


async def _answers(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.read(5)).startswith(b"HTTP")
    except OSError:
        return False
    finally:
        writer.close()
