import pytest


@pytest.fixture(scope="session", autouse=True)
def django_db_setup(django_db_blocker):
    """tests/servers.py made the database. Tests commit for real; each makes its own workspace."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def _fresh_connections():
    yield
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        assert not connection.in_atomic_block, "a test left a transaction open"
