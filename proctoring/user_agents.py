"""Which browser on which system, in words, out of what a browser says of itself. For people, and for no decision."""

import re

# The first that fits: most name those that they descend from as well
BROWSERS = {
    "Edge": r"Edg(e|A|iOS)?/",
    "Opera": r"OPR/|Opera",
    "Samsung Internet": r"SamsungBrowser/",
    "Firefox": r"Firefox/|FxiOS/",
    "Chrome": r"Chrome/|CriOS/|Chromium/",
    "Safari": r"Safari/",
}
SYSTEMS = {
    "Android": r"Android",
    "iPad": r"iPad",
    "iPhone": r"iPhone",
    "ChromeOS": r"CrOS",
    "Windows": r"Windows",
    "macOS": r"Mac OS X|Macintosh",
    "Linux": r"Linux|X11",
}


def browser_of(user_agent: str) -> dict[str, str]:
    """`browser` and `system`, each only where it is known."""
    found = {"browser": _first(BROWSERS, user_agent), "system": _first(SYSTEMS, user_agent)}
    return {name: word for name, word in found.items() if word}


def _first(words: dict[str, str], user_agent: str) -> str:
    return next((word for word, pattern in words.items() if re.search(pattern, user_agent)), "")
