"""REST's JSON in: strict, bounded in size and depth."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from config.errors import TooLarge

MOST = 2 * 1024 * 1024  # bytes; what is larger comes as an upload


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MOST + 1)
        if len(body) > MOST:
            raise TooLarge(limit=MOST)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error.msg}.") from None
