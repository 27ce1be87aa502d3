"""The languages of what is seen by others than members: chats, boards, a student's exam page, mails to customers.

All other pages are in English, which is why a view asks for its reader's language and no middleware does it for all.
The words are in locale/, brought in step by `make words`.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from config.errors import Said

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def in_readers_language(view: View[P]) -> View[P]:
    """Of the address (`?lang=ar`), else of the browser. Not for answers that are rendered later."""

    @wraps(view)
    def spoken(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        with translation.override(language_for(request)):
            response = view(request, *args, **kwargs)
            response.headers.setdefault("Content-Language", translation.get_language())
        patch_vary_headers(response, ["Accept-Language"])
        return response

    return spoken


def language_for(request: HttpRequest) -> str:
    return known_language(request.GET.get("lang", "")) or translation.get_language_from_request(request)


def language_asked(header: str) -> str:
    """The first of ours in an Accept-Language header; English for programs, which send none."""
    found = (known_language(code) for code, _quality in parse_accept_lang_header(header.lower()))
    return next(filter(None, found), settings.LANGUAGE_CODE)


def in_language(sentence: str, language: str) -> str:
    """A sentence that stands in the sources, or itself when there are no words for it."""
    if not sentence or language == settings.LANGUAGE_CODE:
        return sentence
    with translation.override(language):
        if isinstance(sentence, Said):
            return translation.gettext(sentence.sentence).format(**sentence.values)
        return translation.gettext(sentence)


def told(data: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    """A refusal's own, with its sentences by field in the language; REST framework has words for those of its own."""
    return {**data, "errors": _each(data["errors"], language)} if "errors" in data else data


def _each(said: Any, language: str) -> Any:
    if isinstance(said, str):
        return in_language(said, language)
    if isinstance(said, Mapping):
        return {name: _each(one, language) for name, one in said.items()}
    return [_each(one, language) for one in said] if isinstance(said, list | tuple) else said


def known_language(wanted: str) -> str:
    """One of ours, also for one with a region; "" for others."""
    try:
        return translation.get_supported_language_variant(wanted[:20]) if wanted else ""
    except LookupError:
        return ""


def language_of(wanted: str) -> str:
    """For mails and the like, which have no browser to ask."""
    return known_language(wanted) or settings.LANGUAGE_CODE
