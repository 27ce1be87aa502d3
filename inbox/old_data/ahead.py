"""The next batches are read and looked through in a thread of their own, while the database takes the one before."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")

DEPTH = 2  # batches in hand: enough that neither side waits for the other's every breath
LOOK = 0.2  # seconds, until it is seen that nobody takes them any more
PATIENCE = 10.0  # seconds, for a read that is under way when the import is stopped


class _Ahead(Generic[Item]):
    def __init__(self, items: Iterable[Item]) -> None:
        self._items = items
        self._ready: Queue[tuple[Item] | BaseException | None] = Queue(DEPTH)
        self._stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="import-reading", daemon=True)

    def stop(self) -> None:
        self._stopped.set()
        self.thread.join(PATIENCE)

    def __iter__(self) -> Iterator[Item]:
        while (found := self._next()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found[0]

    def _next(self) -> "tuple[Item] | BaseException | None":
        while True:
            try:
                return self._ready.get(timeout=LOOK)  # so that Ctrl-C is heard while nothing comes
            except Empty:
                continue

    def _run(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is raised where the batches are taken
            self._put(error)
        else:
            self._put(None)

    def _put(self, found: "tuple[Item] | BaseException | None") -> bool:
        while not self._stopped.is_set():
            try:
                self._ready.put(found, timeout=LOOK)
            except Full:
                continue
            return True
        return False


@contextmanager
def ahead(items: Iterable[Item]) -> Iterator[Iterable[Item]]:
    """`items` belong to the thread until the end of the `with`."""
    found = _Ahead(items)
    found.thread.start()
    try:
        yield found
    finally:
        found.stop()
