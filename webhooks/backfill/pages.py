"""A provider's list in our own words: a row is one message, with everything that the list tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from jobs import http
from jobs.errors import ProviderError

CUT = 255  # the length of the columns for ids


@dataclass(frozen=True, slots=True)
class Letter:
    """What a row becomes: a delivery of the provider's usual form. `key` makes it once."""

    key: str
    body: bytes = field(repr=False)
    at: datetime
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    provider_id: str
    at: datetime
    is_inbound: bool
    states: tuple[str, ...] = ()  # our words for the rungs that an outbound one has reached
    is_foreign: bool = False  # went out past us and is shown in the thread: an echo
    raw: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    cursor: str  # of the next page, empty when this was the last
    unreadable: int = 0


class Source(Protocol):
    """One channel's list."""

    pages_at_most: ClassVar[int]  # in one run; the rest is for the next

    def page(self, since: datetime, cursor: str) -> Page: ...

    def complete(self, row: Row) -> Row:
        """With what only another call tells, such as a message's files."""

    def letters(self, row: Row, states: Sequence[str]) -> list[Letter]:
        """The message itself, and these of its states."""


def answer_of(response: http.Response, refusal: ProviderError | None) -> dict[str, Any]:
    if refusal is not None:
        raise refusal
    answer = response.json()
    if not isinstance(answer, dict):
        raise unreadable()
    return answer


def unreadable() -> ProviderError:
    return ProviderError("The provider's list could not be read.", permanent=False, code="unreadable_answer")


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""
