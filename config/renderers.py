"""REST's JSON, written exactly as live events write theirs, so that a snapshot and its events agree to the letter."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

LINKS = ("next", "previous")


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if data is None:
            return b""
        request = (renderer_context or {}).get("request")
        if request is not None and isinstance(data, dict) and "results" in data:
            data = {**data, **{name: _whole(data[name], request) for name in LINKS if name in data}}
        return orjson.dumps(data, _text, orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _whole(link: Any, request: HttpRequest) -> Any:
    """A page's link as an address that may be asked for as it is. By PUBLIC_URL where we are called by its name, since
    behind a proxy that ends TLS our own scheme is not known."""
    if not isinstance(link, str) or not link.startswith("/"):
        return link
    public = urlsplit(settings.PUBLIC_URL)
    if request.get_host().lower() == public.netloc.lower():
        return f"{public.scheme}://{public.netloc}{link}"
    return request.build_absolute_uri(link)


def _text(value: Any) -> Any:
    """Lazy translations and the strings that carry an error code."""
    if isinstance(value, str | Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
