"""The unit of work: one transaction whose outermost exit writes what was published inside it, last."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from inspect import iscoroutinefunction
from typing import ParamSpec, TypeVar, overload

from django.db import transaction

from config.live import frames, log, nudge

P = ParamSpec("P")
R = TypeVar("R")


class _Unit(threading.local):
    """Django's connections belong to a thread each, so the unit that is open on one does too."""

    open = False


_unit = _Unit()


class Published:
    """An event waiting for its number. It waits among Django's on-commit hooks, so that rolling back a savepoint
    drops it, and is called there once the commit has made it true."""

    __slots__ = ("data", "frame", "seq", "topic", "type", "version")

    def __init__(self, *, topic: str, type: str, version: int, data: str) -> None:  # noqa: A002
        self.topic = topic
        self.type = type
        self.version = version
        self.data = data
        self.seq = 0
        self.frame = ""

    def __call__(self) -> None:
        nudge.event(self.topic, self.seq, self.frame)


@overload
def unit_of_work(service: Callable[P, R]) -> Callable[P, R]: ...
@overload
def unit_of_work() -> AbstractContextManager[None]: ...
def unit_of_work(service: Callable[P, R] | None = None) -> Callable[P, R] | AbstractContextManager[None]:
    """`@unit_of_work` or `with unit_of_work():`. A nested one joins as a savepoint of its own.

    Opened inside a plain `transaction.atomic()` it still flushes at its own exit, so the topic rows stay locked until
    the outer transaction ends: open the unit first wherever that matters.
    """
    if service is None:
        return _enter()
    if iscoroutinefunction(service):
        raise TypeError("unit_of_work is for sync services; await one through sync_to_async")

    @wraps(service)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with _enter():
            return service(*args, **kwargs)

    return inside


def on_commit(do: Callable[[], object]) -> None:
    """Runs `do` after the commit, at once when no transaction is open. A failure in it is logged and harms nobody."""

    def attempt() -> None:
        do()

    transaction.on_commit(attempt, robust=True)


def is_open() -> bool:
    return _unit.open


def add(published: Published) -> None:
    if not _unit.open:
        raise RuntimeError("publish() outside a unit_of_work: the event would not commit with its effect")
    transaction.on_commit(published)


@contextmanager
def _enter() -> Iterator[None]:
    if _unit.open:
        with transaction.atomic():
            yield
        return
    with transaction.atomic():
        _unit.open = True
        try:
            yield
            _flush()
        finally:
            _unit.open = False


def _flush() -> None:
    connection = transaction.get_connection()
    hooks = [hook for _, hook, _ in connection.run_on_commit]
    waiting = [hook for hook in hooks if isinstance(hook, Published) and not hook.seq]
    if not waiting or connection.needs_rollback:
        return
    for published, seq, at in log.append(waiting):
        published.seq = seq
        published.frame = frames.event(published.topic, seq, published.type, published.version, at, published.data)
