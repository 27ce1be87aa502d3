"""Servers for the tests of the live socket. Those that nothing is done to are shared by a module's tests."""

import pytest
from django.db import connection

from config.live import nudge
from tests.live.web import web


@pytest.fixture(scope="session", params=["daphne", "uvicorn"])
def server(request, tmp_path_factory):
    """Both must behave alike."""
    with web(request.param, tmp_path_factory.mktemp("web") / f"{request.param}.log") as running:
        yield running


@pytest.fixture
def server_name(request):
    return request.param


@pytest.fixture
def no_nudges(monkeypatch):
    """As if Redis dropped everything that this process sends."""
    monkeypatch.setattr(nudge, "send", lambda topic, message: None)


@pytest.fixture(autouse=True)
def _give_back_the_connection():
    yield
    connection.close()
