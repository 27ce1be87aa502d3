"""The words of a WhatsApp message: what a person would read aloud of it, whatever its type.

Never `kapso.content`: it carries a media address that works without any credential.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

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
    if isinstance(reply, Mapping) and "response_json" in reply:
        return _form(reply)
    if isinstance(reply, Mapping):
        return text(reply.get("title")) or text(reply.get("body"))
    asked = content.get("body")
    return text(asked.get("text")) if isinstance(asked, Mapping) else ""


def _form(reply: Fields) -> str:
    """What was filled in, a line each; the token that names the form is nobody's business."""
    try:
        answers = orjson.loads(text(reply.get("response_json")))
    except orjson.JSONDecodeError:
        answers = {}
    plain = answers.items() if isinstance(answers, dict) else ()
    lines = [
        f"{name}: {value}"
        for name, value in plain
        if name != "flow_token" and isinstance(value, str | int | float) and value != ""
    ]
    return "\n".join(lines) or text(reply.get("body")) or text(reply.get("name"))


def _order(content: Fields) -> str:
    """The customer's words, then what is ordered."""
    items = content.get("product_items")
    wanted = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return "\n".join(line for line in (text(content.get("text")), *map(_order_line, wanted)) if line)


def _order_line(item: Fields) -> str:
    name, quantity = _plain(item.get("product_retailer_id")), _plain(item.get("quantity"))
    price = " ".join(part for part in (_plain(item.get("item_price")), _plain(item.get("currency"))) if part)
    line = " × ".join(part for part in (quantity, name) if part)
    return f"{line} ({price})" if line and price else line


def _template(content: Fields) -> str:
    """Its name and what was filled in: the text itself is with the provider."""
    parts = content.get("components")
    filled = [
        text(parameter.get("text"))
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, Mapping) and isinstance(part.get("parameters"), list)
        for parameter in part["parameters"]
        if isinstance(parameter, Mapping)
    ]
    return ": ".join(part for part in (text(content.get("name")), ", ".join(word for word in filled if word)) if part)


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


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
    "order": _order,
    "reaction": _reaction,
    "system": _text,
    "template": _template,
}
