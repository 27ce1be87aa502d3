"""What a job carries and leaves behind, as JSON. Ids, not copies: a payload is read again long after it was written."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, Union
from uuid import UUID

import orjson

# UUIDs and times are written as text and come back as text.
JSON: TypeAlias = Union[bool, int, float, str, UUID, datetime, Sequence["JSON"], Mapping[str, "JSON"], None]  # noqa: UP007
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def dump(value: JSON) -> str:
    text = orjson.dumps(value).decode()
    if "\\u0000" in text and _NUL.search(text):
        raise ValueError("a job's payload or result may not contain NUL: Postgres keeps none in jsonb")
    return text
