"""Contacts by what somebody types: words in any script, parts of a name or an address, digits of a number."""

from django.db.models import Q

from crm.search import Matches, fold, query_of

# Fewer make no trigram, and the index would be read whole.
LEAST = 3


def named_like(text: str) -> Q:
    """By words' beginnings, whatever the script and the accents; from three characters on by any part."""
    text = text.strip().replace("\x00", "")
    query = query_of(text)
    found = Q(Matches("search", query)) if query else Q(pk__in=[])
    if len(text) >= LEAST:
        found |= Q(name__icontains=text) | Q(email__icontains=text)
    digits = "".join(character for character in fold(text) if character.isdigit())
    if len(digits) >= LEAST and not any(character.isalpha() for character in text):
        found |= Q(phone_normalized__contains=digits)
    return found
