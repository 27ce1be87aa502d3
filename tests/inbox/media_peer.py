"""A provider's file server on this machine, and files small enough to be written here."""

import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
OGG = b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(2000)
EXE = b"MZ\x90\x00\x03" + bytes(200)


def png(width: int = 2, height: int = 2, shade: int = 120) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes((shade, x % 256, y % 256) * 1)[:3] * width for y in range(height) for x in (y,))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Peer:
    """Answers by path; `seen` has what was asked, with headers in lower case."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def at(self, path: str, *answers: Answer) -> str:
        """The last one is given again and again."""
        self.answers[path] = list(answers)
        return self.url + path

    def asked(self, path: str) -> list[dict[str, str]]:
        return [headers for known, headers in self.seen if known == path]


@contextmanager
def running_peer(host: str = "127.0.0.1") -> Iterator[Peer]:
    peer = Peer("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            peer.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            waiting = peer.answers.get(self.path.partition("?")[0], [Answer(404)])
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    name = "localhost" if host == "localhost" else host
    peer.url = f"http://{name}:{server.server_port}"
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
