"""How often a person, or an address that nobody signed in from, may ask the REST API in a minute. Keys have limits of
their own (key_pace.py)."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle

from crm.actors import ApiKey
from crm.identity import addresses
from crm.identity.key_pace import Pace

_pace = Pace()


class RequestPace(BaseThrottle):
    """REST framework's way to ask. Never says no by itself: TooMany carries the seconds to wait."""

    def allow_request(self, request: Any, view: Any) -> bool:
        asked = request._request
        if not isinstance(getattr(asked, "actor", None), ApiKey):
            _pace.take(*self.limit(asked))
        return True

    def limit(self, asked: Any) -> tuple[UUID, int]:
        """Whose count it is, and how many a minute."""
        if asked.user.is_authenticated:
            return asked.user.pk, settings.PERSON_REQUESTS_PER_MINUTE
        return _of_address(asked)


def take_for_address(asked: HttpRequest) -> None:
    """For a page that everybody may look at: as one request more from where it comes. TooMany as ever."""
    _pace.take(*_of_address(asked))


def _of_address(asked: HttpRequest) -> tuple[UUID, int]:
    # A whole school may stand behind one address, so it may do as much as several people.
    return uuid5(NAMESPACE_URL, f"pace:{addresses.source(asked)}"), settings.ADDRESS_REQUESTS_PER_MINUTE
