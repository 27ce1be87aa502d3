"""Somebody's number or user id changed. Nobody has published the form of this news: read by the names of its fields."""

import re
from collections.abc import Iterator
from typing import Any

from webhooks.fields import Fields, fields
from webhooks.kapso.items import IdentityChanged, WhoIs, digest
from webhooks.kapso.people import bsuid, who

_OLD = re.compile(r"(^|_)(old|previous|prior|former|from)(_|$)")
_NEW = re.compile(r"(^|_)(new|current|to)(_|$)")
_NUMBER = re.compile(r"(^|_)(phone|phone_number|number|wa_id)$")
_DEPTH = 6
Found = tuple[str, str, Any]  # old, new or neither; the field's name; its value


def read_identity(envelope: Fields, phone_number_id: str | None) -> IdentityChanged | None:
    """None when it does not tell both sides."""
    found = list(_walk(envelope, "", "", 0))
    old, new = _person(found, "old"), _person(found, "new")
    if not old.key:
        old = _conversation_partner(envelope)
    if not old.key or not new.key or old.key == new.key:
        return None
    return IdentityChanged(old, new, phone_number_id, digest(envelope))


def _walk(thing: Any, name: str, side: str, depth: int) -> Iterator[Found]:
    if _OLD.search(name):
        side = "old"
    elif _NEW.search(name):
        side = "new"
    if isinstance(thing, dict) and depth < _DEPTH:
        for key, value in thing.items():
            yield from _walk(value, str(key), side, depth + 1)
    elif isinstance(thing, str | int) and side:
        yield side, name, thing


def _person(found: list[Found], side: str) -> WhoIs:
    mine = [(name, value) for of, name, value in found if of == side]
    return who(
        numbers=tuple(value for name, value in mine if _NUMBER.search(name)),
        ids=tuple(value for _, value in mine if bsuid(value)),
        usernames=(),
        names=(),
    )


def _conversation_partner(envelope: Fields) -> WhoIs:
    conversation = fields(envelope.get("conversation"))
    return who(
        numbers=(conversation.get("phone_number"),),
        ids=(conversation.get("business_scoped_user_id"),),
        usernames=(),
        names=(),
    )
