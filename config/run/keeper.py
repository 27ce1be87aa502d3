"""One child's life: started, read from, started again when it dies, ended when asked."""

import asyncio
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from config import env
from config.run.children import Child
from config.run.errors import StartRefused
from config.run.leash import leash
from config.run.printer import Printer

# A child that lived this long was well: its next death starts the pauses from the beginning.
SETTLED_SECONDS = 10.0
FIRST_PAUSE = 0.1
ASK_EVERY = 0.03
CHUNK = 65_536


class Keeper:
    def __init__(self, child: Child, printer: Printer, after: Callable[[], Awaitable[None]]) -> None:
        self.child = child
        self.ready = asyncio.Event()  # a server answers; anything else has been started
        self.refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._printer = printer
        self._after = after
        self._ending = asyncio.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._gone = asyncio.Event()
        self._lines: deque[str] = deque(maxlen=50)
        self._begun = time.monotonic()
        self._answered_once = False

    # --- living ---------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Keeps the child alive until `end` is called. A crash loop is slowed down, never given up."""
        quick_deaths = 0
        while not self._ending.is_set():
            await first_of(self._after(), self._ending.wait())
            if self._ending.is_set():
                return
            since = time.monotonic()
            code = await self.live_once()
            if self._ending.is_set() or self.refused.done():
                return
            quick_deaths = quick_deaths + 1 if time.monotonic() - since < SETTLED_SECONDS else 0
            await self._pause(code, quick_deaths)

    async def _pause(self, code: int, quick_deaths: int) -> None:
        seconds = min(FIRST_PAUSE * 2.0 ** max(quick_deaths - 1, 0), self.child.longest_pause)
        if self._answered_once or not self.child.is_server:
            self._printer.say(f"{self.child.name} {_how(code)}; starting it again in {seconds:.1f} s.")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def live_once(self) -> int:
        """One life, from start to exit code."""
        self._lines.clear()
        self._gone.clear()
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            process = self._start(writing)
        except OSError as error:
            os.close(reading)
            self._lines.append(f"FATAL: {error.strerror or error}")
            self._judge()
            return 127
        finally:
            os.close(writing)
        self._process = process
        output = _Output(reading, self._heard)
        asking = asyncio.create_task(self._ask_until_ready())
        try:
            return await _exit_of(process)
        finally:
            asking.cancel()
            output.close()
            self._bury(process)

    def _start(self, output: int) -> "subprocess.Popen[bytes]":
        if self.child.before:
            self.child.before()
        return subprocess.Popen(
            self.child.command(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=env.BASE_DIR,
            env=os.environ | self.child.environment,
            pass_fds=self.child.pass_fds,
            start_new_session=True,  # Ctrl-C reaches us alone; we end the children in order
            preexec_fn=leash(self.child.orphaned),
        )

    async def _ask_until_ready(self) -> None:
        answers, pause = self.child.answers, ASK_EVERY
        while answers and not answers():
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, 0.5)  # recovery after a crash may take minutes
        self._answered_once = True
        self.ready.set()

    def _bury(self, process: "subprocess.Popen[bytes]") -> None:
        was_ready = self.ready.is_set()
        self.ready.clear()
        self._process = None
        _signal_group(process, signal.SIGKILL)  # what it started itself
        self._gone.set()
        if self.child.is_server and not was_ready and not self._ending.is_set():
            self._judge()

    def _judge(self) -> None:
        """A server that died before it ever answered may never come up: then the whole start is refused."""
        if self._answered_once:
            for line in self._lines:
                self._printer.line(self.child.name, line)
            return
        sentence = self.child.refusal and self.child.refusal(list(self._lines), time.monotonic() - self._begun)
        if sentence and not self.refused.done():
            self.refused.set_exception(StartRefused(sentence))

    def _heard(self, line: str) -> None:
        self._lines.append(line)
        # A server's words while it comes and goes are no news; if it fails they are told then.
        if not self.child.is_server or (self.ready.is_set() and not self._ending.is_set()):
            self._printer.line(self.child.name, line)

    # --- ending -------------------------------------------------------------------------------------

    async def end(self, hurry: asyncio.Event) -> None:
        self._ending.set()
        for number, seconds in self.child.endings:
            process = self._process
            if process is None:
                return
            with suppress(ProcessLookupError):
                process.send_signal(number)
            with suppress(TimeoutError):
                impatient = () if self.child.is_server else (hurry.wait(),)
                await asyncio.wait_for(first_of(self._gone.wait(), *impatient), seconds)
            if self._gone.is_set():
                return
        if self._process:
            _signal_group(self._process, signal.SIGKILL)
            await self._gone.wait()


class _Output:
    """Reads a pipe as lines. It is closed when the child has ended, whoever else may still hold the other end."""

    def __init__(self, pipe: int, heard: Callable[[str], None]) -> None:
        self._pipe, self._heard, self._rest = pipe, heard, b""
        os.set_blocking(pipe, False)
        asyncio.get_running_loop().add_reader(pipe, self._read)

    def _read(self) -> bool:
        try:
            chunk = os.read(self._pipe, CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._pipe)
            return False
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > CHUNK:
            whole, self._rest = [*whole, self._rest], b""
        for line in whole:
            self._heard(line.decode(errors="replace").rstrip())
        return True

    def close(self) -> None:
        while self._read():
            pass
        if self._rest:
            self._heard(self._rest.decode(errors="replace"))
        asyncio.get_running_loop().remove_reader(self._pipe)
        os.close(self._pipe)


async def first_of(*waits: Awaitable[Any]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _exit_of(process: "subprocess.Popen[bytes]") -> int:
    """Waits without a thread, so that forking stays safe; asyncio's own processes wait for every holder of the pipe."""
    try:
        pidfd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return await _exit_by_asking(process)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
    return process.wait()


async def _exit_by_asking(process: "subprocess.Popen[bytes]") -> int:
    while (code := process.poll()) is None:  # noqa: ASYNC110 - the kernel tells in no other way here
        await asyncio.sleep(0.05)
    return code


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
