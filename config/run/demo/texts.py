"""Reads texts/*.txt: names, words and little dialogues of a language.

A file begins with `key: a, b, c` lines. An episode begins with `== Label, Label !priority | title`; its lines begin
with who speaks: `>` customer, `<` team, `~` private note, `*` bot, `#` what happened. `{day}` takes one of the words
for day, the same throughout an episode, and `{day2}` another one; `{a|b}` is a for a woman and b for a man.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from random import Random

from inbox.states import Priority

FOLDER = Path(__file__).parent / "texts"
_SLOT = re.compile(r"\{([^{}]*)\}")
_SENTENCE = re.compile(r"(?:^|(?<=[.!?] ))\w")


class Kind(StrEnum):
    IN = ">"
    OUT = "<"
    NOTE = "~"
    BOT = "*"
    ACTIVITY = "#"


@dataclass(frozen=True, slots=True)
class Line:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Episode:
    """One matter, from the first message to the last."""

    title: str
    labels: tuple[str, ...]
    priority: Priority
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Pool:
    words: Mapping[str, tuple[str, ...]]
    episodes: tuple[Episode, ...]

    def word(self, key: str) -> str:
        return ", ".join(self.words[key])


@dataclass(frozen=True)
class Reader:
    """Whose name and gender the slots take."""

    given: str
    woman: bool


@cache
def pool(name: str) -> Pool:
    """`name` is a file's name without its ending."""
    head, _, rest = (FOLDER / f"{name}.txt").read_text("utf-8").partition("==")
    words = dict(_word_list(line) for line in head.splitlines() if line)
    return Pool(words, tuple(_episode(part) for part in re.split(r"^==", rest, flags=re.MULTILINE)))


@cache
def plain_lines(name: str) -> tuple[str, ...]:
    return tuple((FOLDER / f"{name}.txt").read_text("utf-8").splitlines())


def _word_list(line: str) -> tuple[str, tuple[str, ...]]:
    key, _, values = line.partition(": ")
    return key, tuple(value.strip() for value in values.split(", "))


def _episode(text: str) -> Episode:
    head, *lines = text.strip().splitlines()
    about, _, title = head.partition("|")
    labels, _, priority = about.partition("!")
    return Episode(
        title=title.strip(),
        labels=tuple(label.strip() for label in labels.split(",")),
        priority=Priority(priority.strip() or "none"),
        lines=tuple(Line(Kind(line[0]), line[2:]) for line in lines if line),
    )


def spoken(episode: Episode, words: Mapping[str, tuple[str, ...]], reader: Reader, rng: Random) -> list[Line]:
    """The episode's lines with every slot filled."""
    fill = _filler(words, reader, rng)
    return [Line(line.kind, _sentences(_SLOT.sub(lambda slot: fill(slot[1]), line.text))) for line in episode.lines]


def _filler(words: Mapping[str, tuple[str, ...]], reader: Reader, rng: Random) -> Callable[[str], str]:
    drawn: dict[str, list[str]] = {}

    def fill(slot: str) -> str:
        if "|" in slot:
            woman, _, man = slot.partition("|")
            return woman if reader.woman else man
        if slot == "name":
            return reader.given
        key = slot.rstrip("2")
        if key not in drawn:
            drawn[key] = rng.sample(words[key], min(2, len(words[key])))
        return drawn[key][-1 if slot.endswith("2") else 0]

    return fill


def _sentences(text: str) -> str:
    """A slot's word may have come to stand first."""
    return _SENTENCE.sub(lambda first: first[0].upper(), text)
