"""As much of S3 as files need: objects in a bucket, whole and in parts, over real HTTP. Takes every signature."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

XML = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass
class Bucket:
    """What lies in it, by key, and what was asked of it."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, key, range
    failing: list[int] = field(default_factory=list)  # the next answers


@contextmanager
def speaking_s3(name: str) -> Iterator[Bucket]:
    bucket = Bucket()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _key(self) -> tuple[str, dict[str, str]]:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            return unquote(parts.path).removeprefix(f"/{name}").lstrip("/"), query

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for header, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(header.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _is_refused(self) -> bool:
            key, _query = self._key()
            bucket.asked.append((self.command, key, self.headers.get("Range", "")))
            assert self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA1/")
            if not bucket.failing:
                return False
            self._body()
            self._answer(bucket.failing.pop(0))
            return True

        def _show(self) -> None:
            found = bucket.objects.get(self._key()[0])
            wanted = self.headers.get("Range", "")
            if found is None:
                self._answer(404, f"{XML}<Error><Code>NoSuchKey</Code></Error>".encode())
            elif wanted:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                part = found[int(first) : int(last) + 1]
                self._answer(206, part, Content_Range=f"bytes {first}-{int(first) + len(part) - 1}/{len(found)}")
            else:
                self._answer(200, found)

        def do_GET(self) -> None:
            if not self._is_refused():
                self._show()

        do_HEAD = do_GET  # noqa: N815

        def do_PUT(self) -> None:
            if self._is_refused():
                return
            key, query = self._key()
            if "uploadId" in query:
                bucket.parts[query["uploadId"]][int(query["partNumber"])] = self._body()
            else:
                bucket.objects[key] = self._body()
            self._answer(200, ETag='"x"')

        def do_POST(self) -> None:
            if self._is_refused():
                return
            key, query = self._key()
            self._body()
            if "uploads" in query:
                upload = uuid4().hex
                bucket.parts[upload] = {}
                text = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            else:
                parts = bucket.parts.pop(query["uploadId"])
                bucket.objects[key] = b"".join(parts[number] for number in sorted(parts))
                text = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
            self._answer(200, (XML + text).encode())

        def do_DELETE(self) -> None:
            if not self._is_refused():
                bucket.objects.pop(self._key()[0], None)
                self._answer(204)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    bucket.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
