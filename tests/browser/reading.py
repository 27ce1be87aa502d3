"""What a page says, as people read it."""

import re

MARKS = "[\u2066-\u2069]*"  # around what is put into a sentence, so that no script turns another


def said(words: str) -> re.Pattern[str]:
    """These words and no more between them than marks that nobody sees."""
    return re.compile(MARKS.join(re.escape(letter) for letter in words))
