"""One old message as a line for COPY: all that can be said of it without asking the database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
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
# As bare words: a member of an enumeration costs ten times as much to look up.
_IN, _OUT, _NOTE, _ACTIVITY = (str(way) for way in (Direction.IN, Direction.OUT, Direction.NOTE, Direction.ACTIVITY))
_CONTACT, _MEMBER = str(SenderKind.CONTACT), str(SenderKind.MEMBER)
_BOT, _SYSTEM = str(SenderKind.BOT), str(SenderKind.SYSTEM)
_RECEIVED, _QUEUED = str(MessageStatus.RECEIVED), str(MessageStatus.QUEUED)
_SENT, _DELIVERED, _READ = str(MessageStatus.SENT), str(MessageStatus.DELIVERED), str(MessageStatus.READ)
_FAILED = str(MessageStatus.FAILED)


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
    return _SPECIAL.sub(lambda sign: _ESCAPES[sign[0]], word) if word and _SPECIAL.search(word) else word


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
    line.written_by_member = kind == _MEMBER
    body = values.text(get("body"))
    type_ = (values.text(get("type")) or "text").lower()[:24]
    detail = _detail(get("detail"), get("attachments"))
    if not detail and not body and type_ == "text":
        raise values.Refused("empty")
    sent, delivered, read_, edited = (_at(get(name)) for name in ("sent_at", "delivered_at", "read_at", "edited_at"))
    updated_at = values.moment(get("updated_at"))
    status, code, reason = _RECEIVED, "", ""
    if direction == _OUT:
        status = _status(values.text(get("status")), read_ != NONE, delivered != NONE)
        if status == _FAILED:
            code, reason = _failure(line, raw)
    provider_id = line.provider_id = values.text(get("provider_id"))
    if len(provider_id) > 255:
        raise values.Refused("provider_id_too_long")
    deleted = _at(get("deleted_at"))
    line.deleted = deleted != NONE
    written_at = provider_time or created_at
    written = written_at.isoformat()
    updated = (updated_at or created_at).isoformat() if updated_at or provider_time else written
    line.id = uuid7_text_from(written_at, bytes.fromhex(line.old.replace("-", "")))
    line.reply_to = _reply_to(get("reply_to"), any_ids)
    line.rest = (
        f"{escaped(provider_id)}\t0\t{direction}\t{kind}\t{escaped(type_)}\t{escaped(body)}\t"
        f"{escaped(detail) if detail else '{}'}\t{written if provider_time else NONE}\t{status}\t{escaped(code)}\t"
        f"{escaped(reason)}\t{sent}\t{delivered}\t{read_}\t{updated if status == _FAILED else NONE}\t{written}\t"
        f"{edited}\t{deleted}\t{updated}\t{body_words(body)}"
    )


def _at(value: Any) -> str:
    if value is None:
        return NONE
    moment = values.moment(value)
    return moment.isoformat() if moment else NONE


def _reply_to(value: Any, any_ids: bool) -> str:
    """An id that cannot be read is nobody's."""
    if value is None:
        return ""
    try:
        return values.key_text(value, "messages", any_ids=any_ids)
    except values.Refused:
        return ""


@lru_cache(maxsize=1_000)
def _direction(way: str, kind: str, private: bool, has_sender: bool) -> tuple[str, str]:
    """Old tables tell the way, or who wrote, or both: each is worked out from the other."""
    if private:
        way = _NOTE
    if not way:
        if not kind:
            raise values.Refused("no_direction")
        way = {_CONTACT: _IN, _SYSTEM: _ACTIVITY}.get(kind, _OUT)
    if way == _IN:
        return way, _CONTACT
    if way == _ACTIVITY:
        return way, _SYSTEM
    if kind in (_BOT, _SYSTEM, _MEMBER):
        return way, kind
    return way, _MEMBER if kind == _CONTACT or has_sender or way == _NOTE else _SYSTEM


@lru_cache(maxsize=1_000)
def _status(word: str, is_read: bool, is_delivered: bool) -> str:
    """What was still to be sent there is never sent from here by itself."""
    if word in (_FAILED, _QUEUED):
        return _FAILED
    if is_read:
        return _READ
    if word in ("", _RECEIVED):
        return _DELIVERED if is_delivered else _SENT
    return word


def _failure(line: Line, raw: Raw) -> tuple[str, str]:
    if values.text(raw.get("status")) == _QUEUED:
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
