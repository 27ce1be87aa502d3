"""A text frame in the form it has on the wire: made once, however many sockets it goes to."""

import struct
from functools import lru_cache

TEXT = 0x81  # RFC 6455: the last and only fragment, of text


@lru_cache(maxsize=16)
def text_frame(text: str) -> bytes:
    """As a server sends it: whole and unmasked."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", TEXT, size) + payload
    if size < 65536:
        return struct.pack("!BBH", TEXT, 126, size) + payload
    return struct.pack("!BBQ", TEXT, 127, size) + payload
