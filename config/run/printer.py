"""What the person at the terminal sees: every line of every process behind its name, and our own sentences."""

import os
import sys
from typing import TextIO

OURSELVES = "run"
_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95)
_GREY = 90


class Printer:
    """Never raises: a terminal that went away must not take the processes with it."""

    def __init__(self, names: list[str], out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._width = max(map(len, [*names, OURSELVES]))
        self._coloured = self._out.isatty() and not os.environ.get("NO_COLOR")
        self._colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}

    def say(self, sentence: str) -> None:
        self.line(OURSELVES, sentence)

    def line(self, name: str, text: str) -> None:
        self.raw(f"{self._paint(name)} {text}\n")

    def raw(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):
            self._out = open(os.devnull, "w")  # noqa: PTH123, SIM115 - nobody reads any more

    def _paint(self, name: str) -> str:
        prefix = f"{name:<{self._width}} |"
        return f"\x1b[{self._colours.get(name, _GREY)}m{prefix}\x1b[0m" if self._coloured else prefix
