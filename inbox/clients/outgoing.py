"""A message on its way out in words that no provider has invented, and what every provider's client does with it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol


class Kind(StrEnum):
    TEXT = "text"
    MEDIA = "media"
    TEMPLATE = "template"
    REACTION = "reaction"


class Throttle(StrEnum):
    """Who has to wait when a provider says "too fast"."""

    CHANNEL = "channel"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Media:
    """A file, by the id the provider gave it or by an address it can fetch it from."""

    kind: str  # image, video, audio, document, sticker
    media_id: str = ""
    link: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be given to the provider. `chunks` can be called once per try."""

    chunks: Callable[[], Iterator[bytes]]
    size: int
    content_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    language: str
    provider_id: str = ""
    variables: Sequence[Mapping[str, Any]] = ()  # as MessageTemplate has them
    values: Mapping[str, str] = field(default_factory=dict)  # by the variable's key


@dataclass(frozen=True, slots=True)
class Outgoing:
    kind: Kind
    to: str  # the address as the customer wrote from it
    callback_data: str  # our own id of the message
    body: str = ""  # the text, the caption, the emoji; of a template what it reads like
    media: tuple[Media, ...] = ()
    template: Template | None = None
    reply_to: str = ""  # the provider's id of the message answered, or reacted to


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. Whether it arrives is told by statuses later."""

    provider_id: str
    wa_id: str = ""  # what the provider made of the number: may differ from what was dialled


@dataclass(frozen=True, slots=True)
class Connection:
    account: str
    phone: str
    name: str


@dataclass(frozen=True, slots=True)
class ListedTemplate:
    """A template as the provider lists it now."""

    name: str
    language: str
    status: str  # one of TemplateStatus
    category: str
    provider_id: str
    components: Any
    variables: list[dict[str, Any]]


class Client(Protocol):
    """One connected account. Every call may raise ProviderError; `maybe_sent` says that a look-up must come first."""

    by_link: ClassVar[bool]  # it fetches files itself; otherwise they are uploaded

    def send(self, message: Outgoing) -> Accepted: ...

    def find_sent(self, message: Outgoing, *, since: datetime, known: Collection[str] = ()) -> Accepted | None:
        """Whether a send that began at `since` was taken; None when all was read and it is not there. `known`: ids of
        messages that are accounted for."""

    def upload(self, upload: Upload) -> str:
        """The provider's id of the file."""

    def mark_read(self, provider_id: str, *, typing: bool = False) -> None:
        """Shows the customer that everything up to this message was read, and with `typing` that somebody writes."""

    def list_templates(self) -> list[ListedTemplate]: ...

    def check_connection(self) -> Connection: ...

    def throttle_of(self, code: str) -> Throttle | None:
        """Whom a refusal with this code asks to wait."""
