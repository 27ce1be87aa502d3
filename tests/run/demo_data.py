"""The demo in the test's database, for the modules that look at it. Other tests of a whole copy may load it too."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings

from config.run.demo.load import Loaded, load
from config.run.demo.purge import purge

CHEAP = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@contextmanager
def demo_loaded() -> Iterator[Loaded]:
    purge()
    with override_settings(DEMO=True, PASSWORD_HASHERS=CHEAP):
        loaded = load()
        assert loaded is not None
        try:
            yield loaded
        finally:
            purge()
