"""Files that were uploaded or made up: their bytes lie in a folder, what is known of them in the ledger."""

import hashlib
import re
import secrets
from pathlib import Path

from webhooks.simulator.state import File, Ledger

FOLDER = "simulator-files"
MEDIA_PATH = "/storage/"
BLOB_PATH = "/rails/active_storage/blobs/redirect/"


class Files:
    def __init__(self, folder: Path, ledger: Ledger, own_url: str) -> None:
        self.folder = folder / FOLDER
        self.ledger = ledger
        self.own_url = own_url

    def add(self, content: bytes, *, id_: str, name: str, content_type: str, owner: str = "") -> File:
        """Only its plain name is kept: it becomes part of an address."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / id_).write_bytes(content)
        file = File(
            id=id_,
            token=secrets.token_hex(16),
            name=re.sub(r"[^A-Za-z0-9._-]", "_", name)[-80:] or "file",
            content_type=content_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            owner=owner,
        )
        self.ledger.add_file(file)
        return file

    def read(self, file: File) -> bytes | None:
        path = self.folder / file.id
        return path.read_bytes() if path.exists() else None

    def by_token(self, token: str) -> File | None:
        return next((file for file in self.ledger.files.values() if file.token == token), None)

    def storage_url(self, file: File) -> str:
        """Opens it without any key."""
        return f"{self.own_url}{MEDIA_PATH}{file.token}/{file.name}"

    def blob_url(self, file: File) -> str:
        """Kapso's: leads to the storage by a redirect."""
        return f"{self.own_url}{BLOB_PATH}{file.token}/{file.name}"
