"""Starts programs, watches what they use, and sees to it that none outlives the run, however the run ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
sys.path.append(str(ROOT))

from config.run.leash import leash  # noqa: E402 - needs the line above

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Of the caller's environment only this reaches what we start: a DATABASE_URL of a running copy must not.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "VIRTUAL_ENV")


class BenchError(Exception):
    """The benchmark cannot be taken; the message says why."""


class Process:
    """One program in a session of its own, so that Ctrl-C reaches the run alone and the run ends it in order."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str],
        folder: Path = ROOT,
        ending: signal.Signals = signal.SIGTERM,
        pass_fds: Sequence[int] = (),
        quiet: bool = False,
    ) -> None:
        """What it prints is for `hear`; with `quiet` it goes into the log beside its complaints."""
        self.name, self.log, self.ending = name, log, ending
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=output if quiet else subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                pass_fds=pass_fds,
                preexec_fn=leash(ending),  # safe: the run has no threads when it starts something
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    def tell(self, line: str) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def hear(self) -> str:
        """The next line it prints. Raises when it ended instead."""
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            self.popen.wait(30)
            raise BenchError(f"{self.name} ended with code {self.popen.returncode}: {self.last_words()}")
        return line.decode().rstrip("\n")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:]) or "it said nothing"

    def finish(self, seconds: float) -> None:
        try:
            code = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{self.name} took longer than {seconds:.0f} s: {self.last_words()}") from None
        if code:
            raise BenchError(f"{self.name} ended with code {code}: {self.last_words()}")

    def stop(self, seconds: float = 15.0) -> None:
        """Asks it to end, then ends its whole session."""
        if self.popen.poll() is None:
            self.popen.send_signal(self.ending)
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def interrupt(self) -> None:
        """Ctrl-C: its whole foreground group hears it."""
        os.killpg(self.pid, signal.SIGINT)

    def left_behind(self) -> list[str]:
        """Programs of its session that still live."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, IndexError):
                name, _, rest = stat.read_text().partition("(")[2].rpartition(") ")
                words = rest.split()
                if int(words[3]) == self.pid and words[0] not in "ZX":
                    found.append(name)
        return found

    def cpu_seconds(self) -> float:
        words = (Path("/proc") / str(self.pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS

    def polls(self) -> bool:
        """Whether it has an event loop already."""
        return any(
            name.readlink().name.endswith("[eventpoll]") for name in (Path("/proc") / str(self.pid) / "fd").iterdir()
        )

    def memory(self) -> int:
        """Resident bytes."""
        return int((Path("/proc") / str(self.pid) / "statm").read_text().split()[1]) * PAGE


def plain_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def listener(port: int = 0) -> socket.socket:
    """On the port, by default a free one, of the loopback. The server inherits it: there is no moment in which it is
    lost."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    found.listen(8192)
    found.set_inheritable(True)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status_of(port: int, path: str, seconds: float = 2.0) -> int:
    """Of a plain GET; 0 when nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = client.recv(64)
    except OSError:
        return 0
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/") and len(words) > 1 and words[1].isdigit() else 0


def wait_for_answer(process: Process, port: int, path: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not status_of(port, path):
        if process.popen.poll() is not None:
            raise BenchError(f"{process.name} ended with code {process.popen.returncode}: {process.last_words()}")
        if time.monotonic() > deadline:
            raise BenchError(f"{process.name} did not answer within {seconds:.0f} s: {process.last_words()}")
        time.sleep(0.05)
