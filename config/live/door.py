"""The handshake: which sockets come in, and as whom."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host

from config.live.identity import Brought

PATH = "/ws/live"
PROTOCOL = "live.v1"
_BEARER = "bearer."

Scope = MutableMapping[str, Any]


class Refused(Exception):
    """The handshake ends with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Visitor:
    """What somebody brought to the door."""

    token: str | None
    cookies: Mapping[str, str]
    languages: str = ""  # the header Accept-Language: what is refused is told in it

    @property
    def brought(self) -> Brought | None:
        """A token counts even where cookies came along."""
        return self.token if self.token is not None else self.cookies or None


def admit(scope: Scope) -> Visitor:
    """Cookies come along with every request a browser makes for any page, so they count only from our own; a page of
    somebody else is turned away altogether. What sends no Origin is no browser and has to bring a token."""
    if scope["path"] != PATH:
        raise Refused(404)
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, origin = headers.get(b"host", ""), headers.get(b"origin")
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        raise Refused(400)
    if origin is not None and not _is_ours(origin, host):
        raise Refused(403)
    if PROTOCOL not in scope["subprotocols"]:
        raise Refused(400)
    tokens = [word.removeprefix(_BEARER) for word in scope["subprotocols"] if word.startswith(_BEARER)]
    cookies = parse_cookie(headers.get(b"cookie", "")) if origin is not None else {}
    languages = headers.get(b"accept-language", "")
    return Visitor(token=tokens[0] if tokens else None, cookies=cookies, languages=languages)


def _is_ours(origin: str, host: str) -> bool:
    given, public = urlsplit(origin.lower()), urlsplit(settings.PUBLIC_URL.lower())
    if given.scheme not in {"http", "https"}:
        return False
    # Behind a proxy that ends TLS our own scheme is not known, so for the Host the name has to do.
    return (given.scheme, given.netloc) == (public.scheme, public.netloc) or given.netloc == host.lower()
