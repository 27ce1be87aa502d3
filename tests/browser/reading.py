"""What a page says, as people read it, and how they go through it."""

import re

from playwright.sync_api import Page

MARKS = "[\u2066-\u2069]*"  # around what is put into a sentence, so that no script turns another


def said(words: str) -> re.Pattern[str]:
    """These words and no more between them than marks that nobody sees."""
    return re.compile(MARKS.join(re.escape(letter) for letter in words))


def read_above(page: Page) -> None:
    """Up in the open thread, to stay there: one that is still being drawn goes back to its foot."""
    page.wait_for_function(
        """() => {
            const log = document.querySelector('[data-part=log]'), stayed = log.scrollTop < -200;
            log.scrollTo(0, -300);
            return stayed;
        }""",
        polling=200,
    )
