"""A process that publishes and ends, for the tests of nudging. `python -m tests.live.publisher <how> <topic>`."""

import atexit
import os
import sys
import time

# Registered first, so it runs last.
ended = time.monotonic()
atexit.register(lambda: print(time.monotonic() - ended))

import django  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from config.live import events  # noqa: E402
from config.live.unit import unit_of_work  # noqa: E402
from tests.live.test_publishing import Noted  # noqa: E402


def publish(topic: str, text: str) -> None:
    with unit_of_work():
        events.publish(topic, Noted(text))


def main(how: str, topic: str) -> None:
    global ended
    if how == "many":
        for n in range(200):
            publish(topic, str(n))
    elif how == "forked":
        publish(topic, "parent")
        child = os.fork()
        if child == 0:
            publish(topic, "child")
            sys.exit()
        os.waitpid(child, 0)
        publish(topic, "parent again")
    ended = time.monotonic()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
