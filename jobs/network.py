"""The transport under jobs.http: dials checked addresses only, and lets no phase outlast the call's deadline."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from jobs import addresses

CONNECT_SECONDS = 5.0
ADDRESSES_TRIED = 3
MOST_CONNECTIONS = 100
KEEP_IDLE = 20
# Shorter than servers keep theirs: writing into a connection that the peer has just closed costs an unknown outcome.
KEEP_IDLE_SECONDS = 5.0


class _Call(threading.local):
    deadline = float("inf")


_call = _Call()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything that this thread reads, writes or dials inside ends `seconds` from now at the latest."""
    _call.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        _call.deadline = float("inf")


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    left = _call.deadline - time.monotonic()
    if left <= 0:
        raise late("the call's deadline has passed")
    limit = min(left, float("inf") if timeout is None else timeout)
    return None if limit == float("inf") else limit


class _Stream(httpcore.NetworkStream):
    """A connection whose every step is cut to what is left of the call."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, limit))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Resolves once, checks, and dials what it has checked: a second answer of the name server changes nothing. TLS
    and the Host header keep the name."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        limit = _left(timeout, httpcore.ConnectTimeout) or CONNECT_SECONDS
        found = addresses.allowed(host, port, seconds=limit)[:ADDRESSES_TRIED]
        for address in found[:-1]:
            try:
                return self._dial(address, port, limit / len(found))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._dial(found[-1], port, limit / len(found))

    def _dial(self, address: str, port: int, seconds: float) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_tcp(address, port, _left(seconds, httpcore.ConnectTimeout)))


class _Body(httpx.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner

    def close(self) -> None:
        self._inner.close()


class Transport(httpx.BaseTransport):
    """As httpx's own, on our backend. Errors are httpcore's."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=KEEP_IDLE,
            keepalive_expiry=KEEP_IDLE_SECONDS,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response.stream), extensions=response.extensions
        )

    def close(self) -> None:
        self._pool.close()
