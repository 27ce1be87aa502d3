"""What may stand on a board where children look: nothing rude, in the four languages of the classes."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from proctoring.errors import NicknameRefused
from proctoring.names import name_for

LONGEST = 60
# The library knows these; Indonesian it does not, so its words are ours.
LANGUAGES = ["english", "spanish", "arabic"]
INDONESIAN = (
    "anjing",
    "anjir",
    "babi",
    "bacot",
    "bajingan",
    "bangsat",
    "bego",
    "bencong",
    "bodat",
    "brengsek",
    "budug",
    "celeng",
    "coli",
    "colmek",
    "cukimai",
    "entot",
    "goblog",
    "goblok",
    "itil",
    "jablay",
    "jancok",
    "jancuk",
    "jembut",
    "kampret",
    "kimak",
    "kontol",
    "lonte",
    "memek",
    "ngentot",
    "ngewe",
    "pantek",
    "pelacur",
    "peler",
    "perek",
    "pepek",
    "puki",
    "pukimak",
    "sundal",
    "tetek",
    "titit",
    "toket",
    "tolol",
)
_TURNS_TEXT = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_MARKUP = re.compile(r"<\s*[a-z!/?]|&#?\w+;|javascript:", re.IGNORECASE)
_PILED_UP = re.compile("[\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{4}")


def why_not(name: str) -> str:
    """What is wrong with the form of a name; empty when it may stand on a board. Of its words `is_rude` knows."""
    if not 1 <= len(name) <= LONGEST:
        return f"must have 1 to {LONGEST} characters."
    if any(unicodedata.category(one) == "Cc" for one in name) or _TURNS_TEXT.search(name):
        return "must not hold control characters."
    if _MARKUP.search(name):
        return "must be plain text, without markup."
    if _PILED_UP.search(unicodedata.normalize("NFD", name)):
        return "must not pile marks upon each other."
    if not any(unicodedata.category(one)[0] in "LNSPM" for one in name):
        return "must hold something that can be seen."
    return ""


@lru_cache(maxsize=4096)
def is_rude(name: str) -> bool:
    """Costs two milliseconds the first time."""
    return bool(_filter().is_profane(_as_seen(name)))


def _as_seen(name: str) -> str:
    """Without what nobody sees, which would keep the letters of a word apart."""
    return "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")


def check(name: str) -> str:
    """As it may be stored. NicknameRefused for what cannot stand there."""
    name = name.strip()
    if reason := why_not(name):
        raise NicknameRefused(errors={"nickname": f"A nickname {reason}"})
    if is_rude(name):
        raise NicknameRefused(errors={"nickname": "Another name, please: children look at this."})
    return name


def instead_of(name: str, *, seed: str) -> str:
    return name_for(seed) if is_rude(name) else name


@cache
def _filter() -> Any:
    """Read on first use: its lists take a quarter of a second."""
    from glin_profanity import Filter  # type: ignore[import-untyped]

    return Filter(
        {
            "languages": LANGUAGES,
            "custom_words": list(INDONESIAN),
            "detect_leetspeak": True,
            "normalize_unicode": True,
        }
    )
