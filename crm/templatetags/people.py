"""A person's sign, as config/static/js/people.js makes it in the browser."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def letters(person: Any) -> str:
    """The first ones of two words; of who is known by a number alone, its end. Of a row of REST, or of a model."""
    name, phone = _of(person, "name"), _of(person, "phone")
    words = name.split()
    if not words or name == phone:
        return phone[-2:]
    return "".join(word[0].upper() for word in words[:2])


def _of(person: Any, field: str) -> str:
    value = person.get(field) if isinstance(person, Mapping) else getattr(person, field, None)
    return str(value or "")
