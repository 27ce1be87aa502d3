"""One request as the simulated providers see it."""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


class BreakOff(Exception):
    """The connection is to end without an answer; `after` says how long to keep silent before."""

    def __init__(self, after: float = 0.0) -> None:
        super().__init__()
        self.after = after


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def form(self) -> list[tuple[str, str]]:
        """The body's parameters in the order they came; a name may stand there twice."""
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def basic(self) -> tuple[str, str]:
        """User and password of the request, both empty where it has none."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return "", ""
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password

    def file(self) -> tuple[dict[str, str], tuple[str, str, bytes] | None]:
        """A multipart form: its plain fields, and the file's name, type and bytes."""
        found = re.search(r'boundary="?([^";]+)"?', self.headers.get("content-type", ""))
        fields: dict[str, str] = {}
        upload = None
        for part in self.body.split(b"--" + found[1].encode())[1:-1] if found else []:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            named = dict(re.findall(r'(\w+)="([^"]*)"', head.decode("utf-8", "replace")))
            content = content.removesuffix(b"\r\n")
            if "filename" in named:
                kind = re.search(rb"(?im)^content-type:\s*([^\r\n]+)", head)
                upload = (named["filename"], kind[1].decode() if kind else "application/octet-stream", content)
            elif "name" in named:
                fields[named["name"]] = content.decode("utf-8", "replace")
        return fields, upload
