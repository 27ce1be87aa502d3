"""A process of its own for tests of real workers: makes a workspace with a subscriber, lets customers write, and dies
right after the last commit. `python -m tests.webhooks.feed_scene <url> <messages>`; `… sweep` is the cron's turn."""

import os
import sys

import django

django.setup()

from tests.cast import make_cast, receive, sender  # noqa: E402  # apps must be loaded first
from webhooks.services import fanout, subscriptions  # noqa: E402


def main(what: str, messages: int = 0) -> None:
    if what == "sweep":
        fanout.sweep()
        return
    cast, who = make_cast(), sender()
    subscriptions.create_subscription(
        actor=cast.actor(cast.ada), url=what, event_types=["message.created", "message.updated"]
    )
    for number in range(messages):
        receive(cast, f"nr {number}", who=who)
    sys.stdout.flush()
    os._exit(0)  # whatever its threads had still to do is lost


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
