"""The provider simulator as a process under a test's control, and a stand-in for the product that it calls."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
NUMBER_ID = "100000000000001"
API_KEY = "demo-kapso-key"
SECRET = "demo-kapso-secret"
CHANNEL = "demo-kapso"
# Real provider pauses, shortened.
QUICK = {
    "SIMULATOR_STATUS_DELAYS": "0.01,0.03,0.05",
    "SIMULATOR_RETRY_DELAYS": "0.05,0.05,0.05",
    "SIMULATOR_TWILIO_RETRY_DELAYS": "0.01,0.01,0.01,0.01,0.01",
    "SIMULATOR_CUSTOMERS": "off",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class SimulatorProcess:
    """Start it, talk to it, kill it, start it again: `folder` is what it remembers by."""

    folder: Path
    public_url: str
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    # One TLS context instead of one per call, and no connection outlives a killed simulator.
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(
            trust_env=False, verify=False, limits=httpx.Limits(max_keepalive_connections=0), timeout=40
        )
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def messages_url(self) -> str:
        return f"{self.url}/meta/whatsapp/v24.0/{NUMBER_ID}/messages"

    def start(self) -> None:
        environment = {
            **os.environ,
            **QUICK,
            "SWITCHBOARD_TESTING": "1",
            "SIMULATOR_PORT": str(self.port),
            "PUBLIC_URL": self.public_url,
            "VAR_DIR": str(self.folder),
            **self.environment,
        }
        command = [sys.executable, "-m", "webhooks.simulator"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
        wait_for(self._answers)

    def end(self, how: int = signal.SIGTERM) -> int:
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(10)

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def control(self, path: str, data: Any = None, *, method: str | None = None, **params: str) -> Any:
        verb = method or ("GET" if data is None else "POST")
        response = self.http.request(verb, f"{self.url}/_control/{path}", json=data, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    def behave(self, **changes: Any) -> None:
        self.control("behaviour", changes)

    def customer(self, **data: Any) -> Any:
        """A customer writes, and the product has answered to it."""
        return self.control("customer", {"wait": True, **data})

    def accepted(self, **filters: str) -> list[Any]:
        rows: list[Any] = self.control("log", **filters)["accepted"]
        return rows

    def send(
        self, to: str = "+15551234567", body: str = "Hello", *, key: str = API_KEY, timeout: float = 10, **more: Any
    ) -> httpx.Response:
        data = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body}, **more}
        return self.http.post(self.messages_url, json=data, headers={"X-API-Key": key}, timeout=timeout)

    def list(self, **params: Any) -> Any:
        response = self.http.get(self.messages_url, params=params, headers={"X-API-Key": API_KEY})
        assert response.status_code == 200, response.text
        return response.json()

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, "the simulator ended at once"
        with contextlib.suppress(httpx.HTTPError):
            return self.http.get(f"{self.url}/_control/health", timeout=1).status_code == 200
        return False


@dataclass(frozen=True)
class Delivered:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Takes webhooks as the product would, and answers what it is told: a status, or "drop"."""

    def __init__(self) -> None:
        self.deliveries: list[Delivered] = []
        self.answer: Callable[[Delivered], int] = lambda _delivery: 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                delivery = Delivered(self.path, headers, body)
                status = receiver.answer(delivery)
                receiver.deliveries.append(delivery)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def forget(self) -> None:
        """After a reset of the simulator nothing is on its way any more."""
        self.deliveries.clear()
        self.answer = lambda _delivery: 200

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, count: int) -> list[Delivered]:
        wait_for(lambda: len(self.deliveries) >= count)
        return list(self.deliveries)


@contextlib.contextmanager
def running(folder: Path, public_url: str, **environment: str) -> Iterator[SimulatorProcess]:
    simulator = SimulatorProcess(folder, public_url, environment)
    simulator.start()
    try:
        yield simulator
    finally:
        if simulator.process and simulator.process.poll() is None:
            simulator.kill()
