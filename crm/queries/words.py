"""Contacts by what somebody types: words in any script, parts of a name or an address, digits of a number."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from crm.models import Contact
from crm.search import Matches, fold, query_of

# Fewer make no trigram, and the index would be read whole.
LEAST = 3


def named_like(text: str) -> Q:
    """By words' beginnings, whatever the script and the accents; from three characters on by any part."""
    return reduce(or_, _ways(text))


def some_named_like(contacts: QuerySet[Contact], text: str, most: int) -> QuerySet[Any, Any]:
    """Keys of so many of them, each way asked by itself: of all in one the planner may read the table instead."""
    first, *others = (contacts.filter(way).order_by().values("pk")[:most] for way in _ways(text))
    return first.union(*others, all=True)


def _ways(text: str) -> list[Q]:
    """A number's last parts are words of their own (`crm.search.phone_words`), so four digits in a row are the
    beginning of one wherever they stand.
    """
    text = text.strip().replace("\x00", "")
    query = query_of(text)
    ways = [Q(Matches("search", query)) if query else Q(pk__in=[])]
    if len(text) >= LEAST:
        ways += [Q(name__icontains=text), Q(email__icontains=text)]
    digits = "".join(character for character in fold(text) if character.isdigit())
    if len(digits) < LEAST or any(character.isalpha() for character in text):
        return ways
    if len(digits) == LEAST:
        return [*ways, Q(phone_normalized__contains=digits)]
    return [*ways, Q(Matches("search", f"'{digits}':*"))]
