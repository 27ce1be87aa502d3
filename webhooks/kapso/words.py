"""The words of a WhatsApp message: what a person would read aloud of it, whatever its type.

Never `kapso.content`: it carries a media address that works without any credential.
"""

from collections.abc import Callable, Mapping
from typing import Any

Fields = Mapping[str, Any]


def body_of(message: Fields, kind: str) -> str:
    """Empty for what has no words, such as a sticker, and for types that nobody told us about."""
    content = message.get(kind)
    if kind == "contacts":
        return _contacts(content)
    read = _READERS.get(kind, _caption)
    return read(content) if isinstance(content, Mapping) else ""


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text(content: Fields) -> str:
    return text(content.get("body"))


def _caption(content: Fields) -> str:
    return text(content.get("caption"))


def _button(content: Fields) -> str:
    return text(content.get("text"))


def _reaction(content: Fields) -> str:
    return text(content.get("emoji"))


def _interactive(content: Fields) -> str:
    """Titles of what was tapped; outbound, the text over the buttons."""
    reply = content.get(text(content.get("type")))
    if isinstance(reply, Mapping):
        return text(reply.get("title")) or text(reply.get("body"))
    asked = content.get("body")
    return text(asked.get("text")) if isinstance(asked, Mapping) else ""


def _location(content: Fields) -> str:
    named = [text(content.get("name")), text(content.get("address"))]
    if any(named):
        return ", ".join(part for part in named if part)
    place = [content.get("latitude"), content.get("longitude")]
    return ", ".join(str(part) for part in place if isinstance(part, int | float | str))


def _contacts(content: Any) -> str:
    cards = [card.get("name") for card in content if isinstance(card, Mapping)] if isinstance(content, list) else []
    names = [text(name.get("formatted_name")) for name in cards if isinstance(name, Mapping)]
    return ", ".join(name for name in names if name)


_READERS: dict[str, Callable[[Fields], str]] = {
    "text": _text,
    "button": _button,
    "interactive": _interactive,
    "location": _location,
    "order": _button,
    "reaction": _reaction,
    "system": _text,
}
