"""The only door out. Every call to a provider goes through `request`, with limits on time, size and destination."""

import atexit
import email.utils
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import IO, Any

import httpcore
import httpx
import orjson
from django.db import connections

from jobs import network
from jobs.errors import ProviderError
from jobs.payloads import JSON

logger = logging.getLogger(__name__)
# Their lines carry whole URLs and headers, and with them numbers and keys.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

SECONDS = 10.0
DOWNLOAD_SECONDS = 300.0
SILENT_SECONDS = 20.0  # a download that brings nothing for so long is over
MAX_BYTES = 5 * 1024 * 1024
# Having been read twice, these change nothing; anything else may have had its effect.
HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_NUMBER = 9  # digits; more would say the same, or overflow
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Response:
    """Whatever the peer answered, 429 and 500 included: what it means is for the caller to say."""

    status: int
    headers: httpx.Headers
    content: bytes
    host: str
    maybe_sent: bool

    @property
    def retry_after(self) -> float | None:
        return retry_after(self.headers)

    def json(self) -> Any:
        """ProviderError when it is none: the peer may have done what it was asked nevertheless."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            raise ProviderError(
                f"{self.host} did not answer with JSON", permanent=False, code="not_json", maybe_sent=self.maybe_sent
            ) from None


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    json: JSON = None,
    content: bytes | Iterable[bytes] | None = None,
    params: Mapping[str, str | int] | None = None,
    timeout: float = SECONDS,
    max_bytes: int = MAX_BYTES,
    redirects: int = 0,
) -> Response:
    """`timeout` is for the whole call. `redirects` are followed for harmless methods only, each checked like the first.
    `content` in pieces needs its length among the headers.

    ProviderError.maybe_sent is False when nothing can have reached the peer (name, connection, TLS) or the method
    changes nothing, True when bytes of the request have left and no whole answer came back.
    """
    _leave_database()
    method = method.upper()
    body, extra = (orjson.dumps(json), {"content-type": "application/json"}) if json is not None else (content, {})

    given = {**extra, **(headers or {})}

    def ask(url: httpx.URL, given: Mapping[str, str]) -> Response:
        return _Exchange(method, url, given, body, timeout, max_bytes).run()

    with network.deadline(timeout):
        return _followed(method, _parsed(url, params), given, ask, redirects)


def download(
    url: str,
    into: IO[bytes],
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = DOWNLOAD_SECONDS,
    max_bytes: int,
    redirects: int = 5,
) -> Response:
    """GET, piece by piece into an open file; an answer other than 200 comes as `content` and writes nothing.

    `headers` go with the first request alone: where it redirects to is another's, be it on the same host.
    """
    _leave_database()

    def ask(url: httpx.URL, given: Mapping[str, str]) -> Response:
        return _Download(url, given, timeout, max_bytes, into).run()

    with network.deadline(timeout):
        return _followed("GET", _parsed(url, None), headers or {}, ask, redirects, keeps_headers=False)


def _followed(
    method: str,
    target: httpx.URL,
    given: Mapping[str, str],
    ask: Callable[[httpx.URL, Mapping[str, str]], Response],
    redirects: int,
    *,
    keeps_headers: bool = True,
) -> Response:
    for _ in range(redirects + 1):
        response = ask(target, given)
        onward = _onward(response, method, target) if redirects else None
        if onward is None:
            return response
        same_origin = (onward.scheme, onward.host, onward.port) == (target.scheme, target.host, target.port)
        if not (keeps_headers and same_origin):
            given = {}  # a key is meant for the host it was given for
        target = onward
    raise ProviderError(f"{target.host} redirects too often", permanent=True, code="redirects")


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds to wait as a Retry-After header has them, as a number or a date; None when it says nothing readable."""
    value = next((text for name, text in headers.items() if name.lower() == "retry-after"), "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:LONGEST_NUMBER])
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - (time.time() if now is None else now))


class _Exchange:
    """One request and its answer. Remembers whether any byte has left, on which `maybe_sent` depends."""

    def __init__(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None,
        seconds: float,
        max_bytes: int,
    ) -> None:
        self.host = url.host
        self.harmless = method in HARMLESS
        self.seconds = seconds
        self.max_bytes = max_bytes
        self.left = False
        self.request = _pool.client().build_request(
            method, url, headers=headers, content=body, timeout=self._limits(), extensions={"trace": self._trace}
        )

    def run(self) -> Response:
        began = time.monotonic()
        try:
            response = _pool.client().send(self.request, stream=True)
            try:
                content = self._read(response)
            finally:
                response.close()
        except httpcore.TimeoutException:
            raise self._error("did not answer in time", "timeout") from None
        except httpcore.LocalProtocolError:
            self.left = False  # refused by our own side, for a header that cannot be written
            raise self._error("cannot be asked that", "bad_request", permanent=True) from None
        except (httpcore.ConnectError, httpcore.UnsupportedProtocol):
            raise self._error("could not be reached", "connect") from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise self._error("dropped the connection", "dropped") from None
        except httpx.DecodingError:
            raise self._error("sent an answer that cannot be read", "unreadable") from None
        self._log(response.status_code, began)
        return Response(response.status_code, response.headers, content, self.host, not self.harmless)

    def _read(self, response: httpx.Response) -> bytes:
        content = bytearray()
        self._copy(response, content.extend, self.max_bytes)
        return bytes(content)

    def _copy(self, response: httpx.Response, take: Callable[[bytes], object], most: int) -> None:
        declared = response.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most and self.request.method != "HEAD":
            raise self._error("sent too much", "too_large", permanent=True)
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > most:
                raise self._error("sent too much", "too_large", permanent=True)
            take(chunk)

    def _error(self, what: str, code: str, *, permanent: bool = False) -> ProviderError:
        maybe_sent = self.left and not self.harmless
        return ProviderError(f"{self.host} {what}", permanent=permanent, code=code, maybe_sent=maybe_sent)

    def _trace(self, event: str, _info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.left = True

    def _limits(self) -> httpx.Timeout:
        return httpx.Timeout(self.seconds, connect=min(self.seconds, network.CONNECT_SECONDS))

    def _log(self, status: int, began: float) -> None:
        took = round((time.monotonic() - began) * 1000)
        what = {"action": "provider_called", "host": self.host, "status": status, "ms": took}
        logger.debug("provider_called", extra=what)


class _Download(_Exchange):
    def __init__(
        self, url: httpx.URL, headers: Mapping[str, str], seconds: float, max_bytes: int, into: IO[bytes]
    ) -> None:
        super().__init__("GET", url, headers, None, seconds, max_bytes)
        self.into = into

    def _read(self, response: httpx.Response) -> bytes:
        if response.status_code == httpx.codes.OK:
            self._copy(response, self.into.write, self.max_bytes)
            return b""
        self.max_bytes = MAX_BYTES
        return super()._read(response)

    def _limits(self) -> httpx.Timeout:
        return httpx.Timeout(min(self.seconds, SILENT_SECONDS), connect=network.CONNECT_SECONDS)


class _Pool:
    """The process's client, made when first needed. No proxies, no netrc: where a call goes is decided here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None

    def client(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    transport=network.Transport(),
                    trust_env=False,
                    headers={"user-agent": "switchboard", "accept-encoding": "identity"},
                )
            return self._client

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None


_pool = _Pool()


def close() -> None:
    """Lets go of kept connections; the next call opens new ones."""
    _pool.close()


def _after_fork() -> None:
    """A forked child must not write into its parent's connections."""
    global _pool
    _pool = _Pool()


atexit.register(close)
os.register_at_fork(after_in_child=_after_fork)


def _leave_database() -> None:
    """A call may take seconds. No transaction may wait for it, and the connection goes back to the pool meanwhile."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            raise RuntimeError("a network call inside a transaction")
        connection.close()


def _parsed(url: str, params: Mapping[str, str | int] | None) -> httpx.URL:
    try:
        target = httpx.URL(url)
        if params:
            target = target.copy_merge_params(params)
    except (httpx.InvalidURL, TypeError, UnicodeError):
        raise ProviderError("the address cannot be read", permanent=True, code="bad_url") from None
    return _plain(target)


def _plain(target: httpx.URL) -> httpx.URL:
    if target.scheme not in {"http", "https"} or not target.host or target.userinfo:
        raise ProviderError("the address is not a plain http or https one", permanent=True, code="bad_url")
    return target


def _onward(response: Response, method: str, target: httpx.URL) -> httpx.URL | None:
    location = response.headers.get("location", "")
    if response.status not in REDIRECTS or not location or method not in HARMLESS:
        return None
    try:
        onward = _plain(target.join(location))
    except (httpx.InvalidURL, UnicodeError):
        raise ProviderError(f"{target.host} redirects nowhere", permanent=True, code="redirects") from None
    if target.scheme == "https" and onward.scheme != "https":
        raise ProviderError(f"{target.host} redirects to plain http", permanent=True, code="redirects")
    return onward
