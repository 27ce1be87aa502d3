"""Lines of activity for templates."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext

from inbox.activity_words import SENTENCES, words_of

register = template.Library()


@register.filter
def activity_line(message: Mapping[str, Any] | None) -> str:
    return words_of(message["body"], message.get("detail")) if message else ""


@register.simple_tag
def activity_sentences() -> list[tuple[str, str]]:
    """Each with its words in the language of now, for the browser."""
    return [(sentence, gettext(sentence)) for sentence in SENTENCES]
