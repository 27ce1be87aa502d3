"""REST's JSON in: strict, bounded in size and depth."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from config.errors import TooLarge

MOST = 2 * 1024 * 1024  # bytes; what is larger comes as an upload
DEEPEST = 64  # brackets within brackets; what is kept must be written out again, and walked through


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MOST + 1)
        if len(body) > MOST:
            raise TooLarge(limit=MOST)
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error.msg}.") from None
        # Too few brackets to be deep: the walk is for the rare rest.
        if body.count(b"{") + body.count(b"[") > DEEPEST and is_deeper_than(DEEPEST, data):
            raise ParseError(f"The body nests more than {DEEPEST} deep.")
        return data


def has_null(data: Any) -> bool:
    """Whether a text in it, names included, holds the one character that Postgres does not. As deep as we read."""
    if isinstance(data, Mapping):
        return any(has_null(name) or has_null(value) for name, value in data.items())
    return (
        any(has_null(value) for value in data) if isinstance(data, list) else isinstance(data, str) and "\x00" in data
    )


def is_deeper_than(limit: int, data: Any) -> bool:
    level = [data]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
