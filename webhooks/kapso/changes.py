"""Messages edited or taken back. Meta tells both as messages of their own, and has done so in more than one form."""

from dataclasses import dataclass, field

from webhooks.fields import Fields, fields, identifier
from webhooks.kapso.words import text

EDITS = frozenset({"edit", "edited", "message_edit"})
DELETIONS = frozenset({"revoke", "revoked", "delete", "deleted", "message_revoke"})
_TARGETS = ("original_message_id", "original_id", "message_id", "id")
# What an edit may leave a message to be.
_EDITABLE = ("text", "image", "video", "document", "audio")


@dataclass(frozen=True, slots=True)
class Change:
    target: str
    deleted: bool
    now: Fields = field(default_factory=dict, repr=False)  # the message as it is from now on; empty when nobody tells


def change(message: Fields, kind: str) -> Change | None:
    """None for a message like any other, and for news that names no message: that much is still shown."""
    told = text(fields(message.get("unsupported")).get("type")) if kind == "unsupported" else kind
    if told not in EDITS and told not in DELETIONS:
        return None
    parts = [fields(message.get(name)) for name in dict.fromkeys((told, kind))]
    target = _target(message, parts)
    if target is None:
        return None
    if told in DELETIONS:
        return Change(target, deleted=True)
    return Change(target, deleted=False, now=_now(message, parts))


def kind_of(now: Fields) -> str | None:
    named = text(now.get("type"))
    if named in _EDITABLE and isinstance(now.get(named), dict):
        return named
    return next((kind for kind in _EDITABLE if isinstance(now.get(kind), dict)), None)


def _target(message: Fields, parts: list[Fields]) -> str | None:
    for part in parts:
        for name in _TARGETS:
            if found := identifier(part.get(name)):
                return found
    context = identifier(fields(message.get("context")).get("id"))
    return identifier(message.get("original_message_id")) or context


def _now(message: Fields, parts: list[Fields]) -> Fields:
    places = [fields(part.get("message")) for part in parts] + [*parts, message]
    return next((place for place in places if kind_of(place)), {})
