"""What a contact is found by. Everything that writes a name, an address or a number calls this."""

from collections.abc import Iterable

from crm.models import Contact
from crm.search import phone_words, vector_of


def index_words(contact: Contact, numbers: Iterable[str] = ()) -> None:
    """Sets `contact.search`; the caller saves it. `numbers`: others the person is known by."""
    digits = {phone_words(number) for number in (contact.phone_normalized, *numbers) if number}
    contact.search = vector_of(contact.name, contact.email, contact.phone, *sorted(digits))
