"""One old message as a line for COPY: all that can be said of it without asking the database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from crm.ids import uuid7_text_from
from inbox.old_data import values
from inbox.old_data.searching import body_words
from inbox.states import Direction, MessageStatus, SenderKind

Raw = dict[str, Any]

REACTION = "reaction"
FAILED = "It failed in the old system."
UNSENT = "The old system had not sent it yet."
NONE = "\\N"  # what COPY takes for null
# What `Line.rest` holds, in its order.
REST = (
    "provider_id",
    "send_attempt",
    "direction",
    "sender_kind",
    "type",
    "body",
    "detail",
    "provider_time",
    "status",
    "error_code",
    "error_message",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "created_at",
    "edited_at",
    "deleted_at",
    "updated_at",
    "search",
)
_SPECIAL = re.compile(r"[\\\n\r\t]")
_ESCAPES = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_SENDERS = {
    Direction.IN: SenderKind.CONTACT,
    Direction.NOTE: SenderKind.MEMBER,
    Direction.ACTIVITY: SenderKind.SYSTEM,
}


@dataclass(slots=True)
class Line:
    """`misplaced` is why it has no conversation at all, `refused` why it cannot be taken into the one it has."""

    given: Any  # the old id as it stands there
    workspace: str
    sender: str
    old: str = ""
    conversation: str = ""
    reply_to: str = ""
    misplaced: str = ""
    refused: str = ""
    changes: tuple[str, ...] = ()
    id: str = ""
    provider_id: str = ""
    written_by_member: bool = False
    deleted: bool = False
    rest: str = ""


def read(raw: Raw, *, any_ids: bool) -> Line:
    get = raw.get
    line = Line(get("id"), values.text(get("workspace")), values.text(get("sender")).lower())
    try:
        line.conversation = values.key_text(get("conversation"), "conversations", any_ids=any_ids)
        line.misplaced = "" if line.conversation else "no_conversation"
    except values.Refused as refused:
        line.misplaced = refused.reason
    try:
        line.old = values.key_text(line.given, "messages", any_ids=any_ids)
        line.misplaced = line.misplaced if line.old else "no_id"
    except values.Refused as refused:
        line.misplaced = refused.reason
    if line.misplaced:
        return line
    try:
        _fill(line, raw, any_ids)
    except values.Refused as refused:
        line.refused = refused.reason
    return line


def escaped(word: str) -> str:
    return _SPECIAL.sub(lambda sign: _ESCAPES[sign[0]], word) if _SPECIAL.search(word) else word


def in_full(line: Line, place: str, sender: str) -> str:
    """`place`: workspace, conversation and channel, joined as here. What it answers is found out in the database."""
    return f"{line.id}\t{line.old}\t{place}\t{sender}\t{line.rest}\n"


def _fill(line: Line, raw: Raw, any_ids: bool) -> None:
    get = raw.get
    created_at = values.moment(get("created_at"))
    if created_at is None:
        raise values.Refused("no_time")
    provider_time = values.moment(get("provider_time"))
    private = get("private")
    direction, kind = _direction(
        values.text(get("direction")),
        values.text(get("sender_kind")),
        bool(private) and values.is_true(private),
        bool(line.sender),
    )
    line.written_by_member = kind == SenderKind.MEMBER
    body = values.text(get("body"))
    type_ = (values.text(get("type")) or "text").lower()[:24]
    detail = _detail(get("detail"), get("attachments"))
    if not detail and not body and type_ == "text":
        raise values.Refused("empty")
    sent_at, delivered_at, read_at = map(values.moment, (get("sent_at"), get("delivered_at"), get("read_at")))
    edited_at, updated_at = values.moment(get("edited_at")), values.moment(get("updated_at")) or created_at
    status, code, reason = str(MessageStatus.RECEIVED), "", ""
    if direction == Direction.OUT:
        status = _status(values.text(get("status")), is_read=read_at is not None, is_there=delivered_at is not None)
        if status == MessageStatus.FAILED:
            code, reason = _failure(line, raw)
    provider_id = line.provider_id = values.text(get("provider_id"))
    if len(provider_id) > 255:
        raise values.Refused("provider_id_too_long")
    written_at = provider_time or created_at
    deleted_at = values.moment(get("deleted_at"))
    line.deleted = deleted_at is not None
    line.id = uuid7_text_from(written_at, bytes.fromhex(line.old.replace("-", "")))
    line.reply_to = _reply_to(get("reply_to"), any_ids)
    line.rest = "\t".join(
        (
            escaped(provider_id),
            "0",
            direction,
            kind,
            escaped(type_),
            escaped(body),
            escaped(detail) if detail else "{}",
            _at(provider_time),
            status,
            escaped(code),
            escaped(reason),
            _at(sent_at),
            _at(delivered_at),
            _at(read_at),
            _at(updated_at) if status == MessageStatus.FAILED else NONE,
            _at(written_at),
            _at(edited_at),
            _at(deleted_at),
            _at(updated_at),
            body_words(body),
        )
    )


def _at(moment: datetime | None) -> str:
    return moment.isoformat() if moment else NONE


def _reply_to(value: Any, any_ids: bool) -> str:
    """An id that cannot be read is nobody's."""
    try:
        return values.key_text(value, "messages", any_ids=any_ids)
    except values.Refused:
        return ""


@lru_cache(maxsize=1_000)
def _direction(way: str, kind: str, private: bool, has_sender: bool) -> tuple[str, str]:
    """Old tables tell the way, or who wrote, or both: each is worked out from the other."""
    if private:
        way = Direction.NOTE
    if not way:
        if not kind:
            raise values.Refused("no_direction")
        ways = {SenderKind.CONTACT: Direction.IN, SenderKind.SYSTEM: Direction.ACTIVITY}
        way = ways.get(SenderKind(kind), Direction.OUT)
    if way in (Direction.IN, Direction.ACTIVITY):
        return way, _SENDERS[Direction(way)]
    if kind in (SenderKind.BOT, SenderKind.SYSTEM, SenderKind.MEMBER):
        return way, kind
    written = kind == SenderKind.CONTACT or has_sender or way == Direction.NOTE
    return way, SenderKind.MEMBER if written else SenderKind.SYSTEM


@lru_cache(maxsize=1_000)
def _status(word: str, *, is_read: bool, is_there: bool) -> str:
    """What was still to be sent there is never sent from here by itself."""
    if word in (MessageStatus.FAILED, MessageStatus.QUEUED):
        return MessageStatus.FAILED
    if is_read:
        return MessageStatus.READ
    if word in ("", MessageStatus.RECEIVED):
        return MessageStatus.DELIVERED if is_there else MessageStatus.SENT
    return word


def _failure(line: Line, raw: Raw) -> tuple[str, str]:
    if values.text(raw.get("status")) == MessageStatus.QUEUED:
        return "not_sent", UNSENT
    found = []
    for name, limit in (("error_code", 60), ("error_message", 500)):
        word = values.text(raw.get(name))
        if len(word) > limit:
            line.changes += (f"{name}_cut",)
            word = word[:limit].rstrip()
        found.append(word)
    return found[0] or "failed", found[1] or FAILED


def _detail(detail: Any, attachments: Any) -> str:
    """The old system's own objects, apart from what this one shows of a provider's."""
    if not detail and not attachments:
        return ""
    found: Iterable[tuple[str, Any]] = (
        ("detail", values.obj(detail)),
        ("attachments", values.structure(attachments)),
    )
    kept = {name: value for name, value in found if value}
    return orjson.dumps({"old": kept}).decode() if kept else ""
