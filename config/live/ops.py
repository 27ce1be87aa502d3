"""What else may come up the socket: apps register it here. Subscribing and the like are the socket's own."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from config.errors import NotFound
from config.live.identity import Identity


class Client(Protocol):
    """The socket as an operation sees it."""

    @property
    def identity(self) -> Identity | None: ...


# Async and on a hot road: no ORM. Gets the whole frame, answers with the frame to send, or raises a DomainError.
Operation = Callable[[Client, Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]


async def _not_found(client: Client, frame: Mapping[str, Any]) -> None:
    raise NotFound


_operations: dict[str, Operation] = {"beat": _not_found}


def register_op(name: str, operation: Operation) -> None:
    _operations[name] = operation


def operation(name: str) -> Operation | None:
    return _operations.get(name)
