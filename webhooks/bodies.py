"""What every provider's body has to be, and what names a delivery. Pure."""

import hashlib
import re
from functools import lru_cache
from typing import Any

import orjson

from config.parsers import is_deeper_than

# Real payloads nest about eight deep. More than this breaks Python's own JSON writer further down the road.
DEPTH_LIMIT = 64
_KEY_LIMIT = 200
# A surrogate pair (kept), a lone half or a NUL: valid JSON escapes that neither UTF-8 nor Postgres can hold.
_ESCAPES = re.compile(
    rb"((?<!\\)(?:\\\\)*)"
    rb"(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\u0000)"
)


class Unreadable(Exception):
    """The body is not a JSON object that a provider would send. The message says what is wrong with it."""


def event_key(idempotency_key: str, body: bytes) -> str:
    """The provider's key, opaque and cut to a size an index can hold; without one, the body speaks for itself."""
    key = idempotency_key.strip()
    if not key:
        return f"sha256:{hashlib.sha256(body).hexdigest()}"
    return key if len(key) <= _KEY_LIMIT else f"long:{hashlib.sha256(key.encode(errors='replace')).hexdigest()}"


# One body is asked for several times in a row: by a road's checks, and by who reads it and who does what it says.
# Nobody writes into it.
@lru_cache(maxsize=16)
def load_object(body: bytes) -> dict[str, Any]:
    data = _load(body)
    if not isinstance(data, dict):
        raise Unreadable("The body is not a JSON object.")
    # Too few brackets to be deep: the walk is for the rare rest.
    if body.count(b"{") + body.count(b"[") > DEPTH_LIMIT and is_deeper_than(DEPTH_LIMIT, data):
        raise Unreadable(f"The body nests more than {DEPTH_LIMIT} deep.")
    return data


def _load(body: bytes) -> Any:
    try:
        if rb"\u0000" in body:
            body = _mended(body)
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        mended = _mended(body)
        if mended == body:
            raise Unreadable(f"The body is not JSON: {error.msg}.") from None
    try:
        return orjson.loads(mended)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"The body is not JSON: {error.msg}.") from None


def _mended(body: bytes) -> bytes:
    def mend(match: re.Match[bytes]) -> bytes:
        before, pair, lone = match.groups()
        return bytes(before + (pair or (rb"\ufffd" if lone else b"")))

    return _ESCAPES.sub(mend, body)
