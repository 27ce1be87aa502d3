"""Words of any script, as Postgres keeps and finds them: one tokeniser for what is written and for what is asked.

Postgres's own `simple` makes one word of a Chinese sentence. Here words are folded (width, case, accents), scripts that
write without spaces become pairs of neighbouring characters, and the vector's and the query's literals are ready-made.
"""

import re
import unicodedata
from itertools import pairwise
from typing import Any

from django.db.models import BooleanField, F, Func, Value
from django.db.models.expressions import Combinable

LONGEST_WORD = 64  # characters; what is longer is found by its beginning
LONGEST_QUERY = 200  # characters; words after that only slow everybody down
MOST_WORDS = 16  # of a query

# Han, Kana and its marks, Hangul, Thai, Lao, Khmer, Burmese: no spaces between words, or none that help (Korean)
_DENSE = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u109f\u1780-\u17dd\ua9e0-\ua9fe\uaa60-\uaa7f"
    "\u1100-\u11ff\u3005\u3007\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
# What belongs to a word although it is no letter: vowel signs and the like
_MARKS = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in {"Mn", "Mc"})
_WORD = re.compile(rf"[^\W_{_MARKS}{_DENSE}](?:[^\W_{_DENSE}]|[{_MARKS}])*|[{_DENSE}]+")
# Of ASCII, where one look at each sign is enough
_PLAIN_SIGNS = "".join(chr(code) if chr(code).isalnum() else " " for code in range(128))
_SPACED_WORD = re.compile(r"[^\W_]+")  # several times as fast, for texts without the next
_SPECIAL = re.compile(rf"[{_MARKS}{_DENSE}]")
_IS_DENSE = re.compile(rf"[{_DENSE}]")
# Accents, Arabic and Hebrew vowel points and the stretching line, invisible joiners and hyphens
_DROPPED = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
# Letters that differ without an accent that could come off, and spellings that one keyboard or another brings
_SAME = {
    "đ": "d",
    "ð": "d",
    "ø": "o",
    "ł": "l",
    "ħ": "h",
    "ı": "i",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ى": "ي",
    "ی": "ي",
    "ک": "ك",
    "ة": "ه",
}
_IS_SAME = re.compile(f"[{''.join(_SAME)}]")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
# Digits that people break up in their own ways: telephone numbers, orders, cards
_NUMBER = re.compile(r"\+?\(?[0-9](?:[\s()./-]{0,2}[0-9]){5,24}")
_HAS_NUMBER = re.compile(r"[0-9].?.?[0-9].?.?[0-9]")
_NOT_DIGITS = re.compile(r"[^0-9]")
# "the", and "and the": written as part of the word, and seldom asked for
_ARTICLE = re.compile("^(?:و?ال)(?=[\u0600-\u06ff]{3})")


def fold(text: str) -> str:
    """As it is compared: one width, one case, no accents, our digits."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    folded = unicodedata.normalize("NFC", _DROPPED.sub("", folded))
    folded = _IS_SAME.sub(lambda letter: _SAME[letter[0]], folded)
    return _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), folded)


def vector_of(*texts: str) -> str:
    """A tsvector's literal. Bare words: nothing ranks or asks for neighbours, and positions would double its size."""
    words: set[str] = set()
    for text in texts:
        if text:
            words |= _written(fold(text.replace("\x00", "")))
    return " ".join(words)


def phone_words(digits: str) -> str:
    """A number's digits and its last parts, as people remember them."""
    bare = _NOT_DIGITS.sub("", digits)
    return " ".join([bare, *(bare[start:] for start in range(1, max(1, len(bare) - 3)))])


def query_of(text: str) -> str:
    """A tsquery's literal, "" when there is nothing to look for. All words must be there; the last may go on."""
    folded = fold(text.replace("\x00", "")[:LONGEST_QUERY])
    found = list(_WORD.finditer(folded))[:MOST_WORDS]
    parts: list[str] = []
    for position, word in enumerate(found):
        is_open = position == len(found) - 1 and word.end() == len(folded)
        parts += _asked(word[0], is_open=is_open)
    spelled = " & ".join(dict.fromkeys(parts))
    number = _NUMBER.fullmatch(folded.strip())
    if number and len(found) > 1:
        return f"'{_NOT_DIGITS.sub('', number[0])}':* | ({spelled})"
    return spelled


def words_of(text: str) -> list[str]:
    """What a hit shows marked, folded: words, and the pairs of dense runs."""
    marks: list[str] = []
    for word in _WORD.findall(fold(text.replace("\x00", "")[:LONGEST_QUERY])):
        marks += map("".join, pairwise(word)) if _IS_DENSE.match(word) and len(word) > 1 else [word]
    return list(dict.fromkeys(marks))


def _written(folded: str) -> set[str]:
    if folded.isascii():
        words = set(folded.translate(_PLAIN_SIGNS).split())
    elif not _SPECIAL.search(folded):
        words = set(_SPACED_WORD.findall(folded))
        words |= {_ARTICLE.sub("", word) for word in words}
    else:
        words = set()
        for word in _WORD.findall(folded):
            words |= _pieces(word)
    if _HAS_NUMBER.search(folded):
        words.update(_NOT_DIGITS.sub("", number) for number in _NUMBER.findall(folded))
    if len(folded) > LONGEST_WORD and max(map(len, words), default=0) > LONGEST_WORD:
        return {word[:LONGEST_WORD] for word in words}
    return words


def _pieces(word: str) -> set[str]:
    """Pairs of a dense run, and its last character by itself: a single character asked for begins one of them."""
    if _IS_DENSE.match(word):
        return {*map("".join, pairwise(word)), word[-1]}
    bare = _ARTICLE.sub("", word)
    return {word, bare}


def _asked(word: str, *, is_open: bool) -> list[str]:
    if not _IS_DENSE.match(word):
        word = word[:LONGEST_WORD]
        return [f"'{word}':*" if is_open or len(word) == LONGEST_WORD else f"'{word}'"]
    if len(word) == 1:
        return [f"'{word}':*"]
    return [f"'{first}{second}'" for first, second in pairwise(word)]


# --- In queries ---------------------------------------------------------------------------------------------


class Matches(Func):
    """`Matches("search", query_of(text))`: a condition that the GIN indexes serve."""

    template = "%(expressions)s::tsquery"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, vector: str | Combinable, query: str, **extra: Any) -> None:
        super().__init__(F(vector) if isinstance(vector, str) else vector, Value(query), **extra)
