"""Which addresses may be subscribed. What they resolve to is checked again at every call, by jobs.http."""

from ipaddress import ip_address

import httpx
from django.conf import settings
from django.http.request import validate_host

from jobs import addresses
from jobs.errors import ProviderError
from webhooks.outgoing.errors import BadTarget

LONGEST = 2000
SECONDS = 3.0  # for the name server
_PORTS = {"http": 80, "https": 443}
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]", "::1"}


def check_target(url: str) -> str:
    """The address as it will be called. Asks the name server: call it outside a transaction.

    A name that does not resolve right now is taken: it may be new, and every call is checked anyhow.
    """
    target = _parsed(url)
    host, port = target.raw_host.decode().strip("[]"), _port(target)
    found = _resolved(host, port)
    if _is_ours(target, found):
        raise BadTarget("This is our own address: events would go round in circles.")
    if target.scheme == "http" and not settings.DEMO and not _is_inside(found):
        raise BadTarget("The address must begin with https://.")
    return str(target)


def _parsed(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url.strip())
    except (httpx.InvalidURL, UnicodeError):
        raise BadTarget("This is not an address.") from None
    if target.scheme not in _PORTS or not target.host or target.userinfo:
        raise BadTarget("A plain http or https address, without a password in it.")
    target = target.copy_with(fragment=None)
    if len(str(target)) > LONGEST:
        raise BadTarget(f"At most {LONGEST} characters fit.")
    return target


def _port(target: httpx.URL) -> int:
    return target.port or _PORTS[target.scheme]


def _resolved(host: str, port: int) -> list[str]:
    try:
        return addresses.allowed(host, port, seconds=SECONDS)
    except ProviderError as error:
        if error.code == "dns":
            return []
        raise BadTarget("This address is not a public one.") from None


def _is_ours(target: httpx.URL, found: list[str]) -> bool:
    public = httpx.URL(settings.PUBLIC_URL)
    if (target.host.lower(), _port(target)) == (public.host.lower(), _port(public)):
        return True
    if _port(target) == settings.PORT and any(ip_address(address.partition("%")[0]).is_loopback for address in found):
        return True
    # Loopback names say nothing without a port, and a star is no name.
    names = [name for name in settings.ALLOWED_HOSTS if name not in _LOOPBACK_NAMES and name != "*"]
    return validate_host(target.host.lower(), names)


def _is_inside(found: list[str]) -> bool:
    """Private, which the operator has allowed by name, or we should not be here."""
    return bool(found) and not any(map(addresses.is_public, found))
