"""The registry of handlers: `@task` declares what a type of job does and how patient we are with it."""

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar

from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from jobs.errors import UnknownTask
from jobs.payloads import JSON
from jobs.running import RunningJob

__all__ = ["OnFailed", "RunningJob", "Task", "Together", "named", "registered", "task"]

MAX_ATTEMPTS = 8
LEASE = timedelta(seconds=30)
# Past this a lease is no longer renewed: a handler that hangs must not keep its lane for ever.
LONGEST_RUN = timedelta(minutes=10)

P = ParamSpec("P")
R = TypeVar("R", bound=JSON)
Handler: TypeAlias = Callable[..., JSON]
OnFailed: TypeAlias = Callable[[RunningJob, Exception], object]


@dataclass(frozen=True)
class Together:
    """For jobs of which many come at once and wait for the same lock: whoever has it does what came meanwhile along.

    `group(job)` names whom a job may go with, "" for nobody. `handler(jobs)` does them in one unit of work, in that
    order, and answers a result for each. Whatever it raises, nothing has happened and each is done alone.
    """

    group: Callable[[RunningJob], str]
    handler: Callable[[Sequence[RunningJob]], Sequence[JSON]]


@dataclass(frozen=True)
class Task:
    name: str
    handler: Handler
    max_attempts: int
    lease: timedelta
    longest_run: timedelta
    atomic: bool
    on_failed: OnFailed | None
    together: Together | None = None

    @property
    def outgoing(self) -> bool:
        """Handlers that are not atomic may call a provider and so may be slow."""
        return not self.atomic


_registry: dict[str, Task] = {}
_loaded = False


def task(
    name: str,
    *,
    max_attempts: int = MAX_ATTEMPTS,
    lease: timedelta = LEASE,
    longest_run: timedelta = LONGEST_RUN,
    atomic: bool = True,
    on_failed: OnFailed | None = None,
    together: Together | None = None,
) -> Callable[[Callable[Concatenate[RunningJob, P], R]], Callable[Concatenate[RunningJob, P], R]]:
    """Registers `handler(job, **payload)`. What it returns is kept as the job's result.

    atomic: handler and completion are one unit of work. Not atomic: the handler calls a provider, makes transactions
    of its own and ends in `with job.completing():`. `on_failed(job, error)` runs in the unit of work that gives up.
    """

    def register(handler: Callable[Concatenate[RunningJob, P], R]) -> Callable[Concatenate[RunningJob, P], R]:
        known = _registry.get(name)
        if known and known.handler.__module__ != handler.__module__:
            raise ValueError(f"two tasks are called {name}: in {known.handler.__module__} and {handler.__module__}")
        _registry[name] = Task(name, handler, max_attempts, lease, longest_run, atomic, on_failed, together)
        return handler

    return register


def named(name: str) -> Task:
    if name not in _registry:
        _load()
    try:
        return _registry[name]
    except KeyError:
        raise UnknownTask(f"no task is called {name}") from None


def registered() -> dict[str, Task]:
    _load()
    return dict(_registry)


def _load() -> None:
    """Imports `<app>.tasks` of every app, once. Late, so that apps may import this module while they are loading."""
    global _loaded
    if _loaded:
        return
    autodiscover_modules("tasks")
    for module in _of_tests():
        importlib.import_module(module)
    _loaded = True


def _of_tests() -> list[str]:
    """Tests that start a real worker name the module with their handlers."""
    return os.environ.get("JOBS_TEST_TASKS", "").split() if settings.TESTING else []
