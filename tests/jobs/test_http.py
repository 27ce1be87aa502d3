"""The door out: what it refuses, what it limits, and whether a call may have had its effect."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.db import connection, transaction

from jobs import addresses, http
from jobs.errors import ProviderError


class Peer(BaseHTTPRequestHandler):
    """Does what the path says."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.seen.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        getattr(self, self.path.strip("/").split("?")[0].split("/")[0])()

    do_GET = do_POST  # noqa: N815

    def answer(self, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def ok(self) -> None:
        self.answer(200, b'{"ok": true}')

    def busy(self) -> None:
        self.answer(429, b'{"error": "slow down"}', retry_after="60")

    def broken(self) -> None:
        self.answer(500, b"<html>")

    def drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def drop_midway(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.drop()

    def silent(self) -> None:
        released.wait(20)
        self.drop()

    def drip(self) -> None:
        """A byte now and then: no single wait is long, the whole never ends."""
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        while not released.wait(0.05):
            self.wfile.write(b".")

    def large(self) -> None:
        self.answer(200, b"x" * 300_000)

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while not released.is_set():
            self.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def round(self) -> None:
        self.answer(302, location="/round")

    def moved(self) -> None:
        self.answer(302, location="/ok?token=1")

    def inside(self) -> None:
        self.answer(302, location=f"http://elsewhere.example:{self.server.server_port}/ok")

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError, OSError):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


released = threading.Event()


@pytest.fixture
def peer() -> Iterator[str]:
    released.clear()
    Peer.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    released.set()
    http.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names that resolve to what a test says; each look-up takes the next answer, the last one stays."""
    answers: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host in answers:
            host = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        elif not host[0].isdigit() and ":" not in host:
            raise socket.gaierror(-2, "unknown")
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return answers


def refused(method: str, url: str, **options: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        http.request(method, url, **options)
    return caught.value


def test_answer_comes_back_whole(peer: str):
    response = http.request(
        "post", f"{peer}/ok", json={"to": "x"}, headers={"X-API-Key": "k"}, params={"limit": 5, "q": "a b"}
    )
    assert (response.status, response.json()) == (200, {"ok": True})
    ((method, path, headers, body),) = Peer.seen
    assert (method, path, body) == ("POST", "/ok?limit=5&q=a+b", b'{"to":"x"}')
    assert headers["content-type"] == "application/json"
    assert headers["x-api-key"] == "k"
    assert headers["host"] == peer.removeprefix("http://")


def test_bytes_go_out_as_they_are(peer: str):
    http.request(
        "POST", f"{peer}/ok", content=b"To=%2B1", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert Peer.seen[0][3] == b"To=%2B1"


def test_429_and_500_are_answers_for_the_caller(peer: str):
    busy = http.request("POST", f"{peer}/busy")
    assert (busy.status, busy.retry_after) == (429, 60.0)
    broken = http.request("POST", f"{peer}/broken")
    assert (broken.status, broken.retry_after) == (500, None)


def test_answer_that_is_no_json_says_whether_it_may_have_been_done(peer: str):
    for method, maybe_sent in (("POST", True), ("GET", False)):
        with pytest.raises(ProviderError) as caught:
            http.request(method, f"{peer}/broken").json()
        assert (caught.value.code, caught.value.maybe_sent) == ("not_json", maybe_sent)


@pytest.mark.parametrize("path", ["drop", "drop_midway"])
def test_dropped_connection_may_have_had_its_effect(peer: str, path: str):
    error = refused("POST", f"{peer}/{path}", json={})
    assert (error.code, error.maybe_sent, error.permanent) == ("dropped", True, False)
    assert len(Peer.seen) == 1


@pytest.mark.parametrize("path", ["silent", "drip"])
def test_whole_call_ends_at_its_deadline(peer: str, path: str):
    began = time.monotonic()
    error = refused("POST", f"{peer}/{path}", timeout=3)
    assert (error.code, error.maybe_sent) == ("timeout", True)
    assert 2.9 < time.monotonic() - began < 12


@pytest.mark.parametrize("path", ["drop", "silent"])
def test_reading_twice_harms_nobody(peer: str, path: str):
    assert refused("GET", f"{peer}/{path}", timeout=0.3).maybe_sent is False


@pytest.mark.parametrize("path", ["large", "endless"])
def test_answer_over_the_limit_is_cut(peer: str, path: str):
    error = refused("POST", f"{peer}/{path}", max_bytes=100_000)
    assert (error.code, error.maybe_sent, error.permanent) == ("too_large", True, True)


def test_answer_at_the_limit_is_taken(peer: str):
    assert len(http.request("GET", f"{peer}/large", max_bytes=300_000).content) == 300_000


def test_closed_port_means_nothing_was_sent():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        error = refused("POST", f"http://127.0.0.1:{held.getsockname()[1]}/")
    assert (error.code, error.maybe_sent, error.permanent) == ("connect", False, False)


def test_name_that_does_not_resolve_means_nothing_was_sent(names: dict[str, list[str]]):
    error = refused("POST", "https://nowhere.example/")
    assert (error.code, error.maybe_sent, error.permanent) == ("dns", False, False)


def test_failed_handshake_means_nothing_was_sent(peer: str):
    error = refused("POST", peer.replace("http:", "https:"))
    assert (error.code, error.maybe_sent) == ("connect", False)
    assert Peer.seen == []


def test_peer_that_never_accepts_means_nothing_was_sent():
    """A TLS peer that says nothing after the connection."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        error = refused("POST", f"https://127.0.0.1:{mute.getsockname()[1]}/", timeout=0.3)
    assert (error.code, error.maybe_sent) == ("timeout", False)


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b:1::1"),
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_addresses_that_are_not_public(address: str):
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str):
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "evil.example"],
)
def test_private_hosts_are_refused_however_they_are_written(
    peer: str, names: dict[str, list[str]], settings, host: str
):
    settings.ALLOWED_PRIVATE_HOSTS = []
    names["evil.example"] = ["127.0.0.1"]
    # inet_aton's spellings look like names
    names |= {"2130706433": ["127.0.0.1"], "0x7f.1": ["127.0.0.1"]}
    error = refused("POST", f"http://{host}:{peer.rsplit(':', 1)[1]}/ok")
    assert (error.permanent, error.maybe_sent) == (True, False)
    assert error.code in {"refused_address", "bad_url"}
    assert Peer.seen == []


def test_private_host_that_is_listed_is_called(peer: str, names: dict[str, list[str]], settings):
    port = peer.rsplit(":", 1)[1]
    names["simulator.local"] = ["127.0.0.1"]
    for listed in ("simulator.local", "Simulator.Local", f"simulator.local:{port}"):
        settings.ALLOWED_PRIVATE_HOSTS = [listed]
        assert http.request("GET", f"http://simulator.local:{port}/ok").status == 200
    settings.ALLOWED_PRIVATE_HOSTS = ["simulator.local:1"]
    # A kept connection was checked when it was made; a new one is checked anew
    http.close()
    assert refused("GET", f"http://simulator.local:{port}/ok").code == "refused_address"


def test_name_that_changes_its_address_after_the_check_gains_nothing(
    peer: str, names: dict[str, list[str]], settings, monkeypatch: pytest.MonkeyPatch
):
    """DNS rebinding: the first answer is public, the second is us."""
    settings.ALLOWED_PRIVATE_HOSTS = []
    names["rebind.example"] = ["93.184.216.34", "127.0.0.1"]
    dialled = []
    real = socket.create_connection

    def dial(address: Any, *args: Any, **kwargs: Any) -> Any:
        dialled.append(address[0])
        if address[0] == "93.184.216.34":
            raise OSError("unreachable")
        return real(address, *args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", dial)
    error = refused("POST", f"http://rebind.example:{peer.rsplit(':', 1)[1]}/ok")
    assert (error.code, dialled, Peer.seen) == ("connect", ["93.184.216.34"], [])


def test_name_with_one_private_address_is_refused_wholly(monkeypatch: pytest.MonkeyPatch):
    found = [(0, 0, 0, "", ("93.184.216.34", 80)), (0, 0, 0, "", ("10.0.0.7", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(ProviderError, match="not a public address"):
        addresses.allowed("mixed.example", 80, seconds=1)


def test_name_server_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: over.wait(20))
    began = time.monotonic()
    try:
        error = refused("POST", "http://slow.example/", timeout=0.3)
    finally:
        over.set()
    assert error.code in {"dns", "timeout"}
    assert error.maybe_sent is False
    assert time.monotonic() - began < 2


def test_redirects_are_not_followed_unless_asked(peer: str):
    assert http.request("GET", f"{peer}/moved").status == 302
    assert http.request("GET", f"{peer}/moved", redirects=1).json() == {"ok": True}
    assert http.request("POST", f"{peer}/moved", redirects=1).status == 302


def test_redirects_end(peer: str):
    assert refused("GET", f"{peer}/round", redirects=3).code == "redirects"
    assert len(Peer.seen) == 4


def test_redirect_to_the_inside_is_refused(peer: str, names: dict[str, list[str]], settings):
    names["elsewhere.example"] = ["127.0.0.1"]
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    assert refused("GET", f"{peer}/inside", redirects=1).code == "refused_address"


def test_key_is_not_carried_to_another_host(peer: str, names: dict[str, list[str]], settings):
    names["elsewhere.example"] = ["127.0.0.1"]
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1", "elsewhere.example"]
    http.request("GET", f"{peer}/inside", redirects=1, headers={"X-API-Key": "secret"})
    assert ["x-api-key" in headers for _, _, headers, _ in Peer.seen] == [True, False]


@pytest.mark.parametrize(
    "url",
    ["ftp://x.example/", "file:///etc/passwd", "unix:///x", "http://", "//x", "http://a:b@x.example/", ""],
)
def test_anything_but_a_plain_web_address_is_refused(url: str):
    error = refused("GET", url)
    assert (error.code, error.permanent, error.maybe_sent) == ("bad_url", True, False)


def test_header_that_would_split_the_request_is_refused(peer: str):
    error = refused("POST", f"{peer}/ok", headers={"x-name": "a\r\nx-admin: yes"})
    assert (error.permanent, error.maybe_sent, Peer.seen) == (True, False, [])


def test_no_call_inside_a_transaction(peer: str):
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        http.request("GET", f"{peer}/ok")
    assert Peer.seen == []


def test_connection_goes_back_to_the_pool_for_the_time_of_the_call(peer: str):
    connection.ensure_connection()
    http.request("GET", f"{peer}/ok")
    assert connection.connection is None


def test_nothing_secret_is_logged(peer: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    http.request("POST", f"{peer}/ok?token=s3cret", headers={"X-API-Key": "s3cret"}, json={"body": "s3cret"})
    refused("POST", f"{peer}/drop?token=s3cret")
    assert "s3cret" not in caplog.text


def test_connections_are_kept(peer: str, monkeypatch: pytest.MonkeyPatch):
    dialled = []
    real = socket.create_connection

    def dial(*args: Any, **kwargs: Any) -> Any:
        dialled.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(socket, "create_connection", dial)
    for _ in range(5):
        http.request("GET", f"{peer}/ok")
    assert len(dialled) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("60", 60.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
        ("9" * 400, 999999999.0),
    ],
)
def test_retry_after_is_read_as_number_or_date(value: str, seconds: float | None):
    assert http.retry_after({"Retry-After": value}, now=10) == seconds


def test_peer_without_retry_after_says_nothing():
    assert http.retry_after({}) is None


@contextmanager
def tls_peer(certificate: str, key: str) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_certificate_must_be_for_the_name_and_known(
    tmp_path: Any, names: dict[str, list[str]], settings, monkeypatch: pytest.MonkeyPatch
):
    """Dialling an address instead of the name must not loosen TLS: the name is what is checked."""
    certificate = self_signed(tmp_path, "good.example")
    settings.ALLOWED_PRIVATE_HOSTS = ["good.example", "other.example"]
    names |= {"good.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    Peer.seen = []
    with tls_peer(*certificate) as port:
        assert refused("POST", f"https://good.example:{port}/ok").code == "connect"
        monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
        http.close()
        assert http.request("POST", f"https://good.example:{port}/ok").status == 200
        assert refused("POST", f"https://other.example:{port}/ok").maybe_sent is False
    http.close()
    assert len(Peer.seen) == 1


def self_signed(folder: Any, name: str) -> tuple[str, str]:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = (folder / "cert.pem", folder / "key.pem")
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(files[0]), str(files[1])
