"""Where files lie: Django's default storage, a folder or S3. Names are random and say nothing of what they hold."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any
from uuid import UUID, uuid4

from django.core.files import File
from django.core.files.storage import default_storage

CHUNK = 256 * 1024


def keep(content: IO[bytes], workspace_id: UUID) -> str:
    """The name it is kept under. May call the network, so never inside a transaction."""
    content.seek(0)
    return str(default_storage.save(f"{workspace_id}/{uuid4().hex}", File(content)))


def open_file(name: str) -> "File[bytes]":
    found: File[bytes] = default_storage.open(name, "rb")
    return found


def remove(name: str) -> None:
    """A file that is gone already is as good as removed."""
    with suppress(FileNotFoundError):
        default_storage.delete(name)


def read(name: str, *, start: int, length: int) -> Iterator[bytes]:
    """A part of it, a piece at a time. S3 is asked for the part alone."""
    bucket: Any = getattr(default_storage, "bucket", None)
    if bucket is not None:
        found = bucket.Object(_key(name)).get(Range=f"bytes={start}-{start + length - 1}")
        yield from found["Body"].iter_chunks(CHUNK)
        return
    with open_file(name) as file:
        file.seek(start)
        while length > 0 and (part := file.read(min(CHUNK, length))):
            length -= len(part)
            yield part


def _key(name: str) -> str:
    """In the bucket, where all of ours may lie below a prefix."""
    prefix = str(getattr(default_storage, "location", "")).strip("/")
    return f"{prefix}/{name}" if prefix else name


def digest(content: IO[bytes]) -> str:
    """SHA-256, read a piece at a time."""
    content.seek(0)
    found = hashlib.sha256()
    while part := content.read(CHUNK):
        found.update(part)
    return found.hexdigest()
