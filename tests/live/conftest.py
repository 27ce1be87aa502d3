"""Servers for the tests of the live socket. Those that nothing is done to are shared by the tests of this folder, and
end with it: they sweep and announce in the database of the others too."""

from contextlib import ExitStack

import pytest
from django.db import connection

from config.live import nudge
from tests.live.web import web


@pytest.fixture(scope="package")
def servers(tmp_path_factory):
    """One of each, on the same database and Redis."""
    folder = tmp_path_factory.mktemp("web")
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(web(name, folder / f"{name}.log", PGAPPNAME=f"web-{name}"))
            for name in ("daphne", "uvicorn")
        }


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request, servers):
    """Both must behave alike."""
    return servers[request.param]


@pytest.fixture
def no_nudges(monkeypatch):
    """As if Redis dropped everything that this process sends."""
    monkeypatch.setattr(nudge, "send", lambda topic, message: None)


@pytest.fixture(autouse=True)
def _give_back_the_connection():
    yield
    connection.close()
