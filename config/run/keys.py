"""What a copy writes down in its VAR_DIR for itself: the keys it generated, and the environment for a shell beside it.

Both files are NAME=value lines in the shell's quoting, readable by their owner only.
"""

import base64
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from config import env

KEYS_FILE = "keys.env"
SHELL_FILE = env.RUN_FILE


def generated_keys(folder: Path) -> dict[str, str]:
    """The demo's own keys: made on the first start, the same ever after."""
    path = folder / KEYS_FILE
    known = env.shell_file(path)
    missing = {name: make() for name, make in _MAKERS.items() if not known.get(name)}
    if missing:
        write_private(path, known | missing)
    return known | missing


def write_private(path: Path, values: Mapping[str, str]) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _vapid_key() -> str:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


_MAKERS = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "FIELD_ENCRYPTION_KEYS": _fernet_key,
    "VAPID_PRIVATE_KEY": _vapid_key,
}
