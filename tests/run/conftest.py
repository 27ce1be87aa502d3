import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.run.copies import RunningCopy


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="sbrun"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., RunningCopy]]:
    """Starts copies in the test's folder; whatever happens, none outlives the test."""
    started: list[RunningCopy] = []

    def start_copy(*words: str, **options) -> RunningCopy:
        copy = RunningCopy(options.pop("var_dir", folder / "var"), *words, **options)
        started.append(copy)
        return copy

    yield start_copy
    for copy in started:
        copy.kill()
    for copy in started:
        copy.clean_up()


@pytest.fixture
def given_servers() -> dict[str, str]:
    """The suite's own servers, for copies in which Postgres and Valkey are not the point."""
    return {"DATABASE_URL": os.environ["DATABASE_URL"], "REDIS_URL": os.environ["REDIS_URL"]}
