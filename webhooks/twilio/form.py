"""The parameters of a request, every value of every name: they are what is signed, so none is left out or trimmed."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 2_000  # Twilio sends about forty


class NotAForm(Exception):
    """The body cannot be read as parameters. The message says why."""


class Parameters:
    """Names with their values, in the shape in which the library that signs asks for repeated ones."""

    def __init__(self, pairs: list[tuple[str, str]] | None = None) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs or []:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def first(self, *names: str) -> str:
        """The first that is not empty, without what a database cannot hold."""
        return next((value for name in names if (value := self._clean(name))), "")

    def _clean(self, name: str) -> str:
        return next(iter(self.getlist(name)), "").replace("\x00", "")


def is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in ("", FORM)


# The signature, the road and what is made of it look at the same form, one after the other.
@lru_cache(maxsize=16)
def read_form(body: bytes, content_type: str = "") -> Parameters:
    """Raises NotAForm."""
    if not is_form(content_type):
        raise NotAForm("The body is not a form.")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotAForm("The form is not UTF-8.") from None
    if any(part and "=" not in part for part in text.split("&")):
        raise NotAForm("The body is not a form.")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except UnicodeDecodeError:
        raise NotAForm("The form is not UTF-8.") from None
    except ValueError:
        raise NotAForm("The form has too many parameters.") from None
    return Parameters(pairs)


def read_broken_form(body: bytes) -> Parameters:
    """What a sender that reads leniently would have signed of a form that is not UTF-8."""
    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return Parameters()
    return Parameters(pairs)


def read_json(body: bytes) -> Parameters:
    """A JSON object's plain members, for accounts whose webhooks are set to JSON. Raises NotAForm."""
    try:
        data: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotAForm("The body is neither a form nor JSON.") from None
    if not isinstance(data, Mapping):
        raise NotAForm("The body is not a JSON object.")
    plain = {
        name: value for name, value in data.items() if isinstance(value, str | int) and not isinstance(value, bool)
    }
    return Parameters([(name, str(value)) for name, value in plain.items()])
