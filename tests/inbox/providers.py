"""Both providers' sending APIs in one small server that a test can make fail in every way it knows."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

REFUSED = ("429", "500", "drop")  # not taken
TAKEN = ("drop_after", "500_after", "slow")  # taken, though the answer may not say so


@dataclass
class Providers:
    """`plan` gives each send its misfortune, in the order they come; none when it is used up."""

    url: str = ""
    plan: list[str] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    lists: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> str:
        with self.lock:
            self.calls += 1
            return self.plan.pop(0) if self.plan else ""

    def accept(self, message: dict[str, Any]) -> str:
        with self.lock:
            number = len(self.accepted) + 1
            message["sid"] = f"SM{number:032x}" if "Body" in message or "To" in message else f"wamid.{number}"
            message["at"] = time.time()
            self.accepted.append(message)
            return str(message["sid"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    providers: Providers

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        raw = self._body()
        path = urlsplit(self.path).path
        if path.endswith("/media"):
            self.providers.asked.append({"path": path, "type": self.headers["content-type"], "body": raw})
            self._answer(200, {"id": f"media-{len(self.providers.asked)}"})
            return
        form = path.endswith("Messages.json")
        message: dict[str, Any] = _form(raw) if form else json.loads(raw)
        self.providers.asked.append(
            {"path": path, "headers": {name.lower(): value for name, value in self.headers.items()}, **message}
        )
        if message.get("status") == "read":
            self._answer(200, {"success": True})
            return
        self._send(message, twilio=form)

    def _send(self, message: dict[str, Any], *, twilio: bool) -> None:
        fate = self.providers.next()
        if fate == "drop":
            self._drop()
            return
        if fate == "429":
            self._answer(429, {"code": 20429} if twilio else {"error": "Slow down"}, {"Retry-After": "1"})
            return
        if fate == "500":
            self._answer(500, {"error": "Oops"})
            return
        if fate.isdigit():
            code = int(fate)
            self._answer(400, {"code": code, "status": 400} if twilio else {"error": {"code": code}})
            return
        sid = self.providers.accept(message)
        if fate == "slow":
            time.sleep(0.4)
        if fate == "drop_after":
            self._drop()
        elif fate == "500_after":
            self._answer(500, {"error": "Oops"})
        elif twilio:
            self._answer(201, {"sid": sid, "status": "queued", "to": message["To"]})
        else:
            self._answer(200, {"messages": [{"id": sid}], "contacts": [{"wa_id": message.get("to", "").lstrip("+")}]})

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.providers.lists += 1
        if path.endswith("Messages.json"):
            rows = [_twilio(one) for one in reversed(self.providers.accepted) if one.get("To") == query["To"][0]]
            self._answer(200, {"messages": rows, "next_page_uri": None})
        else:
            rows = [_kapso(one) for one in reversed(self.providers.accepted) if "to" in one]
            self._answer(200, {"data": rows, "paging": {"cursors": {}, "next": None}})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _form(raw: bytes) -> dict[str, Any]:
    pairs = parse_qsl(raw.decode(), keep_blank_values=True)
    media = [value for name, value in pairs if name == "MediaUrl"]
    return dict(pairs) | ({"MediaUrl": media} if media else {})


def _twilio(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "sid": message["sid"],
        "to": message["To"],
        "from": message.get("From"),
        "body": message.get("Body", ""),
        "direction": "outbound-api",
        "num_media": str(len(message.get("MediaUrl", []))),
        "date_created": formatdate(message["at"]),
    }


def _kapso(message: dict[str, Any]) -> dict[str, Any]:
    content = message["type"]
    return {
        "id": message["sid"],
        "to": message["to"].lstrip("+"),
        "type": content,
        content: message[content],
        "timestamp": str(int(message["at"])),
        "biz_opaque_callback_data": message["biz_opaque_callback_data"],
    }


@contextmanager
def providers(settings: Any) -> Iterator[Providers]:
    """Both addresses point to it; nothing else is reached."""
    made = Providers()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handling", (Handler,), {"providers": made}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    settings.KAPSO_API_URL = settings.TWILIO_API_URL = made.url
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
