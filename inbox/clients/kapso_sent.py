"""Which row of Kapso's list of sent messages is the one whose outcome we do not know."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from crm import phones
from inbox.clients.kapso_content import BSUID, text
from inbox.clients.outgoing import Accepted, Kind, Outgoing


class Sought:
    """Reads the list newest first and remembers what looks like the message."""

    def __init__(self, message: Outgoing, earliest: datetime, known: Collection[str]) -> None:
        self._message = message
        self._earliest = earliest.timestamp()
        self._known = known
        self._alike: list[tuple[float, Accepted]] = []

    def is_surely(self, row: Mapping[str, Any]) -> bool:
        return bool(text(row.get("id"))) and self._message.callback_data in _callbacks(row)

    def accepted(self, row: Mapping[str, Any]) -> Accepted:
        return Accepted(text(row.get("id")), _recipient(row))

    def weigh(self, row: Mapping[str, Any]) -> None:
        provider_id, at = text(row.get("id")), _epoch(row)
        # A row that names another message of ours is that one.
        if not provider_id or provider_id in self._known or _callbacks(row) or at < self._earliest:
            return
        if _has_same_content(row, self._message) and _is_same_person(_recipient(row), self._message.to):
            self._alike.append((at, self.accepted(row)))

    def likeliest(self) -> Accepted | None:
        # Times are whole seconds and the list is newest first: of two in one second the later entry is the older.
        return min(reversed(self._alike), key=lambda found: found[0])[1] if self._alike else None


def _has_same_content(row: Mapping[str, Any], message: Outgoing) -> bool:
    if message.kind == Kind.REACTION:
        part = _part(row, "reaction")
        return (text(part.get("message_id")), text(part.get("emoji"))) == (message.reply_to, message.body)
    if message.kind == Kind.TEMPLATE and message.template:
        return text(_part(row, "template").get("name")) == message.template.name
    if message.kind == Kind.MEDIA:
        media = message.media[0]
        part = _part(row, media.kind)
        if not part:
            return False
        same_file = bool(media.media_id) and text(part.get("id")) == media.media_id
        return same_file or text(part.get("caption")).strip() == message.body.strip()
    return bool(_part(row, "text")) and text(_part(row, "text").get("body")).strip() == message.body.strip()


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _callbacks(row: Mapping[str, Any]) -> set[str]:
    extension = _part(row, "kapso")
    statuses = extension.get("statuses")
    places = [row, extension, *(statuses if isinstance(statuses, list) else [])]
    found = (text(place.get("biz_opaque_callback_data")) for place in places if isinstance(place, dict))
    return {data for data in found if data}


def _recipient(row: Mapping[str, Any]) -> str:
    return text(row.get("to")) or text(row.get("recipient")) or text(_part(row, "kapso").get("phone_number"))


def _epoch(row: Mapping[str, Any]) -> float:
    """When the provider took it; what has no readable time counts as just now, which the list's own filter allows."""
    try:
        return float(row.get("timestamp") or "inf")
    except (TypeError, ValueError):
        return float("inf")


def _is_same_person(listed: str, to: str) -> bool:
    """Meta may turn a Brazilian, Mexican or Argentine number into its other form."""
    if BSUID.fullmatch(to) or BSUID.fullmatch(listed):
        return listed == to
    one, other = phones.from_international(listed), phones.from_international(to)
    return bool(one and other and set(phones.lookup_keys(one)) & set(phones.lookup_keys(other)))
