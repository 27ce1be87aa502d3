"""Words and tones of contacts for templates."""

import json
import re
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from crm.contact_pages import words

register = template.Library()

register.filter("lead_word", words.lead)
register.filter("subscription_word", words.subscription)
register.filter("as_words", words.value)


@register.filter
def lead_tone(status: str) -> str:
    return words.LEAD_TONES.get(status, "")


@register.filter
def subscription_tone(status: str) -> str:
    return words.SUBSCRIPTION_TONES.get(status, "")


@register.filter
def json_of(value: Any) -> str:
    """For a data attribute: the template escapes it."""
    return json.dumps(value, default=str)


_PICK = re.compile(r"@\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?")


@register.filter
def note_body(note: dict[str, Any]) -> SafeString:
    """As written, with the people it tells made out; a pick by id is shown by its name."""
    names: dict[str, str] = note["mentions"]
    text = _PICK.sub(lambda found: f"@{names[found[1]]}" if found[1] in names else found[0], note["body"])
    said = sorted({f"@{name}" for name in names.values() if name}, key=len, reverse=True)
    if not said:
        return SafeString(conditional_escape(text))
    parts = re.split("(" + "|".join(map(re.escape, said)) + ")", text)
    marked = [
        f'<b class="mention">{conditional_escape(part)}</b>' if part in said else conditional_escape(part)
        for part in parts
    ]
    return mark_safe("".join(marked))  # noqa: S308 - every part is escaped


@register.filter
def hue(word: str) -> int:
    """A tag's colour: the same word always has the same one."""
    return sum(map(ord, word)) % 8 + 1


@register.simple_tag
def identity_word(kind: str) -> Any:
    return words.IDENTITIES.get(kind, kind)


@register.filter
def shown(count: int, more: bool) -> str:
    """1,234, or 999+ where nobody counted further."""
    return f"{count:,}+" if more else f"{count:,}"
