"""What apps announce with: numbered events inside a unit of work, and signals that may be lost."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, ClassVar

from config.live import frames, log, nudge, unit
from config.live.log import Logged


@dataclass(frozen=True)
class Event:
    """Base of everything published. Applying one twice must be harmless; a break of its form is a new type."""

    type: ClassVar[str]
    version: ClassVar[int] = 1

    def data(self) -> dict[str, Any]:
        """What readers get. Nothing in it may depend on who reads."""
        return asdict(self)


def publish(topic: str, event: Event) -> None:
    """Buffers the event; it gets its number and is stored as the last thing of the outermost unit of work."""
    unit.add(
        unit.Published(topic=topic, type=event.type, version=event.version, data=frames.encode(event.data())),
    )


def signal(topic: str, type: str, data: Mapping[str, Any]) -> None:  # noqa: A002
    """Unnumbered and never stored; sent after the commit when a transaction is open, else at once."""
    unit.on_commit(partial(nudge.signal, topic, frames.signal(topic, type, data)))


def head(topic: str) -> int:
    """The newest number of the topic, 0 before its first event. For a snapshot, read it before the state."""
    return heads([topic])[topic]


def heads(topics: Iterable[str]) -> dict[str, int]:
    return log.heads(topics)


def events_after(topic: str, after: int, limit: int = 1000) -> list[Logged]:
    """In order. A first number other than `after + 1` means that what lay between is no longer kept."""
    return log.after(topic, after, limit)
