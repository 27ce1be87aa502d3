"""Starts copies as real processes and sees what is left of them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
# Nothing of the test's own environment may decide for the copy.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningCopy:
    def __init__(self, var_dir: Path, *words: str, before: Sequence[str] = (), **variables: str) -> None:
        self.var_dir = var_dir
        self.port = free_port()
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= {"VAR_DIR": str(var_dir), "PORT": str(self.port), "DEMO": "1"} | variables
        self._out, self._err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - open as long as the copy
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", *(words or ("tests.run.dummies", "usual"))],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
        )

    @property
    def printed(self) -> str:
        return os.pread(self._out.fileno(), 1_000_000, 0).decode()

    def wait_until_up(self, seconds: float = 60.0) -> "RunningCopy":
        wait_for(lambda: "Switchboard is at" in self.printed or self.process.poll() is not None, seconds)
        assert self.process.poll() is None, self.complaint()
        return self

    def told(self) -> list[list[str]]:
        path = self.var_dir / "told"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def pids(self, name: str) -> list[int]:
        return [int(pid) for who, what, pid in self.told() if who == name and what == "started"]

    def postmaster(self) -> int:
        return int((self.var_dir / "postgres" / "postmaster.pid").read_text().split()[0])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(20)

    def complaint(self) -> str:
        """Everything on stderr, once the process has ended."""
        self.process.wait(20)
        return os.pread(self._err.fileno(), 1_000_000, 0).decode()

    def alive(self) -> list[str]:
        """Every process of this copy that still runs, found by its environment, its words or its folder."""
        return [what for folder in Path("/proc").glob("[0-9]*") if (what := self._belongs(folder))]

    def _belongs(self, folder: Path) -> str | None:
        mark = os.fsencode(self.var_dir)
        try:
            if (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return None
            words = (folder / "cmdline").read_bytes()
            where = os.fsencode((folder / "cwd").readlink())
            ours = mark in words or where.startswith(mark) or b"VAR_DIR=" + mark in (folder / "environ").read_bytes()
        except (OSError, IndexError):
            return None
        return f"{folder.name} {words!r}" if ours else None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)

    def clean_up(self) -> None:
        wait_for(lambda: not self.alive())
        self._out.close()
        self._err.close()
