"""What a copy takes for itself before it starts anything: its folder, locked; its port; a place for its sockets."""

import errno
import fcntl
import hashlib
import os
import re
import socket
import stat
import tempfile
from io import TextIOWrapper
from pathlib import Path

from config.run.embedded import SOCKET_DIR_LIMIT
from config.run.errors import StartRefused

LOCK_FILE = "run.lock"
# What the processes keep in the folder: found broken here, in a sentence, and not later by one of them, in a traceback.
FOLDERS = ("media", "metrics", "simulator-files", "static")
FILES = ("beat-schedule", "issuer-key.pem", "keys.env", "prepared", "run.env", "simulator.jsonl")
BACKLOG = 1024
# Commas separate folders and spaces end words in Postgres's, libpq's and kombu's spellings of a socket folder.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")


def claim_folder(folder: Path) -> TextIOWrapper:
    """The lock lives as long as the returned file is open, so it cannot outlive us, however we end."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / LOCK_FILE).open("a+")
    except OSError as error:
        raise StartRefused(f"VAR_DIR {folder} cannot be used: {_why(error)}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        raise StartRefused(
            f"VAR_DIR {folder} is in use by a running copy (process {lock.read().strip() or 'unknown'}): stop it, "
            f"or give this one a VAR_DIR and a PORT of its own."
        ) from None
    except OSError as error:
        raise StartRefused(f"VAR_DIR {folder} cannot be locked: {_why(error)}.") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def check_parts(folder: Path) -> None:
    """Whatever is there already is of the kind that it should be."""
    for names, kind, is_fine in ((FOLDERS, "folder", Path.is_dir), (FILES, "file", Path.is_file)):
        for part in (folder / name for name in names):
            if os.path.lexists(part) and not is_fine(part):
                raise StartRefused(f"{part} should be a {kind}, and is none: move it away.")


def claim_port(host: str, port: int) -> socket.socket:
    """Bound and listening once, here; the web processes inherit it, so a restart of one refuses nobody."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError:
        raise StartRefused(f"BIND must be an address of this machine, not {host!r}.") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartRefused(_port_sentence(error, host, port)) from None
    listener.setblocking(False)
    return listener


def _port_sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken: stop what listens there, or choose another with PORT."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be opened by this user: choose one above 1023 with PORT."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"BIND must be an address of this machine, not {host!r}."
    return f"Port {port} on {host} cannot be opened: {_why(error)}."


def free_port(preferred: int) -> int:
    """The preferred port of the loopback, or any that is free."""
    for port in (preferred, 0) if preferred <= 65535 else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StartRefused("No port of 127.0.0.1 is free for the provider simulator: name one with SIMULATOR_PORT.")


def socket_folder(var_dir: Path) -> Path:
    """In VAR_DIR, or, where its path does not fit a Unix socket, a private folder in the system's temporary one."""
    inside = var_dir / "sockets"
    if _fits(inside):
        return _private(inside)
    name = f"switchboard-{os.geteuid()}-{hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:12]}"
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - made and verified as ours below
        if _fits(parent / name):
            return _private(parent / name)
    raise StartRefused(f"The path of VAR_DIR {var_dir} is too long for a Unix socket: choose a shorter one.")


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) <= SOCKET_DIR_LIMIT and _PLAIN_PATH.fullmatch(str(folder)) is not None


def _private(folder: Path) -> Path:
    """Refuses a folder that somebody else may have laid there for us to walk into."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise StartRefused(f"{folder} cannot be used for sockets: {_why(error)}.") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise StartRefused(f"{folder} belongs to another user: remove it, or choose another VAR_DIR.")
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
