"""A bar for each table where somebody watches, and silence elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Watcher(Protocol):
    def begin(self, table: str, total: int | None) -> None: ...
    def advance(self, rows: int) -> None: ...


class Silence:
    def begin(self, table: str, total: int | None) -> None:
        pass

    def advance(self, rows: int) -> None:
        pass


class Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._current = progress.add_task("", visible=False)

    def begin(self, table: str, total: int | None) -> None:
        self._current = self._progress.add_task(table, total=total)

    def advance(self, rows: int) -> None:
        self._progress.advance(self._current, rows)


@contextmanager
def watched(*, quiet: bool = False) -> Iterator[Watcher]:
    """On stderr: the report on stdout stays clean."""
    if quiet or not sys.stderr.isatty():
        yield Silence()
        return
    columns = (
        TextColumn("{task.description:>13}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield Bars(progress)
