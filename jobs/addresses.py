"""Where an outgoing call may go: the names it resolves to, checked and then dialled as they were checked."""

import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NoAnswer
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings

from jobs.errors import ProviderError

_ALLOCATED = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# Threads, since a look-up cannot be given a time limit; one that hangs must not hold up the others.
_resolver = ThreadPoolExecutor(16, thread_name_prefix="jobs-dns")


def allowed(host: str, port: int, *, seconds: float) -> list[str]:
    """The addresses of `host`, best first; ProviderError when there is none or any of them is not public."""
    addresses = _resolve(host, port, seconds)
    if not _may_be_private(host, port) and not all(map(is_public, addresses)):
        # A public name that also points inside is an attack or a mistake, so its public addresses are refused as well.
        raise ProviderError(f"{host} is not a public address", permanent=True, code="refused_address")
    return addresses


def is_public(address: str) -> bool:
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast and not ip.is_reserved
    inner = _embedded(ip)
    if inner is not None:
        return is_public(str(inner))
    return ip in _ALLOCATED and ip.is_global and ip.teredo is None


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a packet to this one would really reach."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _may_be_private(host: str, port: int) -> bool:
    names = {name.lower().strip("[]") for name in settings.ALLOWED_PRIVATE_HOSTS}
    return bool({host.lower(), f"{host.lower()}:{port}"} & names)


def _resolve(host: str, port: int, seconds: float) -> list[str]:
    try:
        found = _resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(seconds)
    except NoAnswer:
        raise ProviderError(f"{host} did not resolve in time", permanent=False, code="dns") from None
    except (OSError, UnicodeError):
        raise ProviderError(f"{host} does not resolve", permanent=False, code="dns") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
