"""How the provider has been told to behave: slow, failing, silent, out of order. Not kept across restarts."""

import random
from dataclasses import dataclass, fields, replace
from typing import Any

FAILS = (
    "none",
    "409",  # another send of that conversation is in flight
    "429",
    "500",
    "500_after_accept",
    "code",  # refused with `code`
    "window",  # refused: the customer last wrote more than 24 hours ago
    "drop_before",  # the connection breaks, nothing was taken
    "drop_after_accept",  # taken, and the connection breaks before the answer
    "timeout",  # taken, and no answer ever
)
STATUSES = (
    "on",
    "off",
    "out_of_order",  # read first, sent last
    "duplicate",  # each told twice, and once more under another key
    "failed",  # sent, then failed with `code`
)
SWITCH = ("on", "off")
FILES = ("on", "held")  # asked for, and nothing comes until they are on again
PROVIDERS = ("all", "kapso", "twilio", "stripe")
WINDOW_CLOSED = 131047


class Wrong(Exception):
    """What is wrong with what the simulator was told, in a sentence."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    latency_ms: int = 0
    fail: str = "none"
    code: int = WINDOW_CLOSED
    retry_after: int = 60  # seconds that a 429 asks for
    probability: float = 1.0
    next_n: int | None = None  # fail so many times, then no more
    provider: str = "all"  # at whom it fails
    statuses: str = "on"
    echo: str = "on"  # whether lists and statuses carry the sender's callback data
    customers: str = "off"
    files: str = "on"

    def told(self, changes: Any) -> "Behaviour":
        if not isinstance(changes, dict):
            raise Wrong("Send a JSON object.")
        unknown = set(changes) - {field.name for field in fields(self)}
        if unknown:
            raise Wrong(f"There is no {', '.join(sorted(unknown))} to set.")
        if "fail" in changes and "next_n" not in changes:
            changes = changes | {"next_n": None}
        behaviour = replace(self, **changes)
        behaviour._check()
        return behaviour

    def _check(self) -> None:
        choices = (
            *(("fail", FAILS), ("statuses", STATUSES), ("provider", PROVIDERS)),
            *(("echo", SWITCH), ("customers", SWITCH), ("files", FILES)),
        )
        for name, among in choices:
            if getattr(self, name) not in among:
                raise Wrong(f"{name} is one of {', '.join(among)}.")
        for name in ("latency_ms", "code", "retry_after"):
            if not _is_whole(getattr(self, name)):
                raise Wrong(f"{name} is a whole number.")
        if not (self.next_n is None or _is_whole(self.next_n)):
            raise Wrong("next_n is a whole number, or null for always.")
        if isinstance(self.probability, bool) or not isinstance(self.probability, int | float):
            raise Wrong("probability is a number from 0 to 1.")

    def failure(self, chance: random.Random, provider: str) -> tuple[str, "Behaviour"]:
        """What happens to this send, and how to behave from then on."""
        if self.provider not in ("all", provider):
            return "none", self
        if self.fail == "none" or self.next_n == 0 or chance.random() >= self.probability:
            return "none", self
        if self.next_n is None:
            return self.fail, self
        return self.fail, replace(self, next_n=self.next_n - 1)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
