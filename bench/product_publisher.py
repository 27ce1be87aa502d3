"""Publishes as a service of the product does: in a unit of work, numbered, stored, nudged after the commit."""

import json
import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import django
from publishing import MESSAGE, pace


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    django.setup()
    from config.live.events import Event
    from config.live.events import publish as announce
    from config.live.unit import unit_of_work

    @dataclass(frozen=True)
    class Message(Event):
        type: ClassVar[str] = "message.created"
        message: dict[str, Any]

        def data(self) -> dict[str, Any]:
            return self.message

    def publish(topic: str, message: dict[str, Any]) -> None:
        with unit_of_work():
            announce(topic, Message(message))

    publish("elsewhere", MESSAGE)  # connections are open, threads started
    pace(spec, publish)


if __name__ == "__main__":
    main()
