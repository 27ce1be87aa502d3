"""The words under which imported rows are found, as the services that write such rows keep them."""

from crm.search import phone_words, vector_of


def contact_words(name: str, email: str, phone: str, e164: str) -> str:
    return vector_of(name, email, phone, phone_words(e164 or phone))


def body_words(body: str) -> str:
    return vector_of(body)
