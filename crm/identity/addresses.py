"""Where a request comes from, for limits and records. A proxy's word counts only when the proxy is one of ours."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"
# One household or server has at least so much of IPv6, and may use every address in it.
IPV6_PREFIX = 64


def client_address(request: HttpRequest) -> str:
    """The nearest address that is not one of TRUSTED_PROXIES."""
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed(request.headers.get("X-Forwarded-For", "").split(","))
    nearest = UNKNOWN
    for hop in hops:
        address = _parsed(hop)
        if address is None:
            break
        nearest = str(address)
        if not _is_trusted(address):
            break
    return nearest


def source(request: HttpRequest) -> str:
    """What one client is counted by."""
    address = _parsed(client_address(request))
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), IPV6_PREFIX), strict=False))
    return UNKNOWN if address is None else str(address)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    return any(address in ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES)
