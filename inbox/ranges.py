"""HTTP's Range header, as players ask for a part of a sound or a film: one span of bytes (RFC 9110, 14)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_ONE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


# To an open end a player gets so much and asks again: it seldom wants the whole film.
MOST = 8 * 1024 * 1024


class NotSatisfiable(Exception):
    """The span lies beyond the end."""


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    length: int
    is_part: bool


def wanted_span(headers: Mapping[str, str], size: int, etag: str) -> Span:
    """The whole where nothing else is asked for, or several spans are, or the file is another by now."""
    whole = Span(0, size, is_part=False)
    found = _ONE.fullmatch(headers.get("Range", "").strip())
    if found is None or found.group(1, 2) == ("", "") or headers.get("If-Range", etag) != etag:
        return whole
    first, last = found.group(1, 2)
    if not first:  # the last so many
        length = min(int(last), size)
        start = size - length
    else:
        start = int(first)
        length = min(int(last) if last else start + MOST - 1, size - 1) - start + 1
        if last and int(last) < start:
            return whole
    if length <= 0:
        raise NotSatisfiable
    return Span(start, length, is_part=True)
