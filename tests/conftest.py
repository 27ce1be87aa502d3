from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

HERE = Path(__file__).parent
# The product of the browser tests is made in the meantime by who begins with those
FIRST = ("jobs/test_worker.py", "crm/test_isolation.py")
FOLDERS = ("browser", "live", "run", "proctoring", "jobs", "crm", "webhooks", "inbox", "simulator")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folder by folder, so that what the tests of one share is started once, and the long ones first: at the end no
    process waits for another. Within a folder the files stay in the order that was drawn."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(HERE)
        if path.as_posix() in FIRST:
            return -1
        return FOLDERS.index(path.parts[0]) if path.parts[0] in FOLDERS else len(FOLDERS)

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def django_db_setup(django_db_blocker):
    """tests/servers.py made the database. Tests commit for real; each makes its own workspace.

    It stays open to the end: threads of the product outlive the test that started them.
    """
    django_db_blocker.unblock()


@pytest.fixture(autouse=True)
def _no_open_transaction():
    yield
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        assert not connection.in_atomic_block, "a test left a transaction open"


@pytest.fixture
def cast():
    from tests.cast import make_cast

    return make_cast()


@pytest.fixture
def assert_queries() -> Callable[[int], AbstractContextManager[None]]:
    """`with assert_queries(6):` at most so many statements; prints them all when there are more."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    @contextmanager
    def budget(most: int) -> Iterator[None]:
        with CaptureQueriesContext(connection) as captured:
            yield
        listed = "\n".join(query["sql"][:400] for query in captured.captured_queries)
        assert len(captured) <= most, f"{len(captured)} queries, not {most}:\n{listed}"

    return budget


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """`at_once(do, 8)` or `at_once([a, b])`: every call in a thread with a connection of its own, begun together.

    Gives what each returned, or the exception it raised.
    """
    from django.db import connections

    def run(calls: Callable[[], Any] | list[Callable[[], Any]], times: int = 1) -> list[Any]:
        todo = calls if isinstance(calls, list) else [calls] * times
        gate = Barrier(len(todo))

        def one(call: Callable[[], Any]) -> Any:
            try:
                gate.wait(10)
                return call()
            except Exception as error:
                return error
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(todo)) as pool:
            return list(pool.map(one, todo))

    return run
