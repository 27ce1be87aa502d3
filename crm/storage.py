"""Where uploads and archives lie: Django's default storage, a folder or S3. Names are random and say nothing."""

from contextlib import suppress
from typing import IO
from uuid import UUID, uuid4

from django.core.files import File
from django.core.files.storage import default_storage


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
