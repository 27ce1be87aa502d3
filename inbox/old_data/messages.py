"""Old messages into their conversations, at the place where they were written; counted as read by everybody."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from crm.erased import Traced
from crm.ids import uuid7_from
from inbox.old_data import standing, values
from inbox.old_data.places import Thread, threads
from inbox.old_data.report import Tally
from inbox.old_data.scope import Given, LeftOut, Scope
from inbox.old_data.searching import body_words
from inbox.old_data.staging import Stage, execute, fetch, json
from inbox.states import Direction, MessageStatus, SenderKind

REACTION = "reaction"
FAILED = "It failed in the old system."
UNSENT = "The old system had not sent it yet."
COMPARED = (
    "direction",
    "sender_kind",
    "sender_user_id",
    "type",
    "body",
    "detail",
    "reply_to_id",
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
)
COLUMNS = (
    "id",
    "workspace_id",
    "supabase_id",
    "conversation_id",
    "channel_id",
    "provider_id",
    "send_attempt",
    *COMPARED,
    "updated_at",
    "search",
)
AT = {name: position for position, name in enumerate(COLUMNS)}
_SENDERS = {
    Direction.IN: SenderKind.CONTACT,
    Direction.NOTE: SenderKind.MEMBER,
    Direction.ACTIVITY: SenderKind.SYSTEM,
}
# Known here by the provider's id: it came by a webhook as well.
_PROVIDED = """
    select m.channel_id, m.provider_id, m.id, m.supabase_id
    from unnest(%(channels)s::uuid[], %(ids)s::text[]) as a(channel_id, provider_id)
    join inbox_message m on m.channel_id = a.channel_id and m.provider_id = a.provider_id and m.provider_id <> ''
"""
_KNOWN_REPLIES = "select supabase_id, id from inbox_message where supabase_id = any(%(ids)s)"


class Messages:
    name = "messages"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._stage = Stage("inbox_message", COLUMNS, compared=COMPARED, also=("updated_at", "search"))
        self._waiting: dict[UUID, UUID] = {}  # messages whose reply_to has not come yet

    def write(self, rows: list[dict[str, Any]]) -> Tally:
        tally = Tally()
        self._scope.learn_users(row.get("sender") for row in rows)
        where = threads(
            set(filter(None, (self._scope.quiet("conversations", row.get("conversation")) for row in rows)))
        )
        erased = self._scope.erased(Traced.OLD_MESSAGE, self.name, rows)
        gone = self._scope.erased(Traced.OLD_CONVERSATION, "conversations", rows, "conversation")
        ready: dict[UUID, list[Any]] = {}
        replies: dict[UUID, UUID] = {}
        seen = _Provided(self._candidates(rows, where))
        for raw in rows:
            row = Given(raw, tally)
            try:
                if self._scope.quiet("conversations", raw.get("conversation")) in gone:
                    raise values.Refused("erased")
                line = self._read(row, where)
                old = line[AT["supabase_id"]]
                if old in erased:
                    raise values.Refused("erased")
                if old in ready:
                    raise values.Refused("id_twice")
                if seen.link(line):
                    tally.counts["linked"] += 1
                    continue
                ready[old] = line
                if target := self._scope.quiet("messages", raw.get("reply_to")):
                    replies[old] = target
            except LeftOut:
                tally.counts["left_out"] += 1
            except values.Refused as refused:
                tally.refuse(values.text(raw.get("id")), refused.reason)
        later = self._resolve(ready, replies)
        self._write(list(ready.values()), tally)
        seen.write()
        self._waiting.update(later)
        if tally.counts["created"] or tally.counts["updated"]:
            self._scope.touched.update(thread.slug for thread in where.values())
        return tally

    def finish(self) -> None:
        """Replies to what came after them."""
        if not self._waiting:
            return
        execute(
            """
            update inbox_message m set reply_to_id = r.id
            from unnest(%(olds)s::uuid[], %(targets)s::uuid[]) as w(old, target)
            join inbox_message r on r.supabase_id = w.target
            where m.supabase_id = w.old and m.workspace_id = r.workspace_id and m.reply_to_id is null
            """,
            {"olds": list(self._waiting), "targets": list(self._waiting.values())},
        )
        self._waiting.clear()

    def drop(self) -> None:
        self._stage.drop()

    # --- Reading ---------------------------------------------------------------------------------------------

    def _thread(self, row: Given, where: dict[UUID, Thread]) -> Thread:
        scope = self._scope
        conversation = scope.need("conversations", row.get("conversation"), "no_conversation")
        if conversation in scope.left_conversations or scope.is_left_out(row.get("workspace")):
            raise LeftOut
        thread = where.get(conversation)
        if thread is None:
            raise values.Refused("unknown_conversation")
        if thread.old_workspace in scope.left_out:
            raise LeftOut
        if values.text(row.get("workspace")) and scope.place(row.get("workspace")).id != thread.workspace_id:
            raise values.Refused("other_workspace")
        return thread

    def _read(self, row: Given, where: dict[UUID, Thread]) -> list[Any]:
        old = row.supabase_id = self._scope.need("messages", row.get("id"), "no_id")
        thread = self._thread(row, where)
        created_at = values.moment(row.get("created_at"))
        if created_at is None:
            raise values.Refused("no_time")
        provider_time = values.moment(row.get("provider_time"))
        direction, kind = _direction(row)
        body = values.text(row.get("body"))
        type_ = (values.text(row.get("type")) or "text").lower()[:24]
        detail = _detail(row)
        if not body and not detail and type_ == "text":
            raise values.Refused("empty")
        times = {name: values.moment(row.get(name)) for name in ("sent_at", "delivered_at", "read_at", "edited_at")}
        updated_at = values.moment(row.get("updated_at")) or created_at
        status, code, reason = _status(row, direction, times)
        provider_id = values.text(row.get("provider_id"))
        if len(provider_id) > 255:
            raise values.Refused("provider_id_too_long")
        sender = self._scope.user(row.get("sender")) if kind == SenderKind.MEMBER else None
        if kind == SenderKind.MEMBER and sender is None and values.text(row.get("sender")):
            row.changed("unknown_sender")
        return [
            uuid7_from(provider_time or created_at, old.bytes),
            thread.workspace_id,
            old,
            thread.id,
            thread.channel_id,
            provider_id,
            0,
            direction,
            kind,
            sender,
            type_,
            body,
            json(detail),
            None,
            provider_time,
            status,
            code,
            reason,
            times["sent_at"],
            times["delivered_at"],
            times["read_at"],
            updated_at if status == MessageStatus.FAILED else None,
            provider_time or created_at,
            times["edited_at"],
            values.moment(row.get("deleted_at")),
            updated_at,
            body_words(body),
        ]

    def _candidates(self, rows: Sequence[dict[str, Any]], where: dict[UUID, Thread]) -> list[tuple[UUID, str]]:
        found = []
        for raw in rows:
            provider_id = values.text(raw.get("provider_id"))
            if provider_id:
                conversation = self._scope.quiet("conversations", raw.get("conversation"))
                thread = where.get(conversation) if conversation else None
                if thread:
                    found.append((thread.channel_id, provider_id))
        return found

    def _resolve(self, ready: dict[UUID, list[Any]], replies: dict[UUID, UUID]) -> dict[UUID, UUID]:
        """What each answers, of this batch or of one before; gives those that are not here yet."""
        if not replies:
            return {}
        here = dict(fetch(_KNOWN_REPLIES, {"ids": list(replies.values())}))
        later = {}
        for old, target in replies.items():
            found = here.get(target) or (ready[target][AT["id"]] if target in ready else None)
            if found is None:
                later[old] = target
            else:
                ready[old][AT["reply_to_id"]] = found
        return later

    # --- Writing ---------------------------------------------------------------------------------------------

    def _write(self, lines: list[list[Any]], tally: Tally) -> None:
        if not lines:
            return
        standing.lock({line[AT["conversation_id"]] for line in lines})
        gone = standing.about_to_go([line[AT["supabase_id"]] for line in lines if line[AT["deleted_at"]] is not None])
        created, updated = self._stage.write(lines)
        changed = {*created, *updated}
        touched = {line[AT["conversation_id"]] for line in lines if line[AT["supabase_id"]] in changed}
        if touched:
            standing.sum_up(touched)
            standing.count_as_read(_inbound(lines, created), gone)
            if not self._scope.dry:
                standing.send_back_to_snapshot(touched)
        tally.counts["created"] += len(created)
        tally.counts["updated"] += len(updated)
        tally.counts["unchanged"] += len(lines) - len(created) - len(updated)


class _Provided:
    """Messages that are here by their provider's id, by a webhook or from an earlier row."""

    def __init__(self, asked: Iterable[tuple[UUID, str]]) -> None:
        pairs = list(dict.fromkeys(asked))
        rows = (
            fetch(_PROVIDED, {"channels": [pair[0] for pair in pairs], "ids": [pair[1] for pair in pairs]})
            if pairs
            else []
        )
        self._known = {(channel, provider_id): (id_, old) for channel, provider_id, id_, old in rows}
        self._links: list[tuple[UUID, UUID]] = []

    def link(self, line: list[Any]) -> bool:
        """True when the row is here already and only learns its old id."""
        provider_id = line[AT["provider_id"]]
        if not provider_id:
            return False
        old, slot = line[AT["supabase_id"]], (line[AT["channel_id"]], provider_id)
        known = self._known.get(slot)
        if known is None or known[1] == old:
            self._known[slot] = (line[AT["id"]], old)
            return False
        if known[1] is not None:
            raise values.Refused("provider_id_twice")
        self._known[slot] = (known[0], old)
        self._links.append((known[0], old))
        return True

    def write(self) -> None:
        if self._links:
            execute(
                "update inbox_message m set supabase_id = l.old from unnest(%(ids)s::uuid[], %(olds)s::uuid[]) "
                "as l(id, old) where m.id = l.id",
                {"ids": [id_ for id_, _ in self._links], "olds": [old for _, old in self._links]},
            )


def _direction(row: Given) -> tuple[str, str]:
    """Old tables tell the way, or who wrote, or both: each is worked out from the other."""
    way, kind = values.text(row.get("direction")), values.text(row.get("sender_kind"))
    if values.is_true(row.get("private")):
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
    written = kind == SenderKind.CONTACT or bool(values.text(row.get("sender"))) or way == Direction.NOTE
    return way, SenderKind.MEMBER if written else SenderKind.SYSTEM


def _detail(row: Given) -> dict[str, Any]:
    """The old system's own objects, apart from what this one shows of a provider's."""
    found = {"detail": values.obj(row.get("detail")), "attachments": values.structure(row.get("attachments"))}
    kept = {name: value for name, value in found.items() if value}
    return {"old": kept} if kept else {}


def _status(row: Given, direction: str, times: dict[str, datetime | None]) -> tuple[str, str, str]:
    """With code and reason of a failure. What was still to be sent there is never sent from here by itself."""
    if direction != Direction.OUT:
        return MessageStatus.RECEIVED, "", ""
    word = values.text(row.get("status"))
    if word == MessageStatus.FAILED:
        return word, row.text("error_code", 60) or "failed", row.text("error_message", 500) or FAILED
    if word == MessageStatus.QUEUED:
        return MessageStatus.FAILED, "not_sent", UNSENT
    if times["read_at"]:
        return MessageStatus.READ, "", ""
    if word in ("", MessageStatus.RECEIVED):
        return MessageStatus.DELIVERED if times["delivered_at"] else MessageStatus.SENT, "", ""
    return word, "", ""


def _inbound(lines: Iterable[list[Any]], created: dict[UUID, UUID]) -> dict[UUID, tuple[int, datetime]]:
    """Of each conversation: how many that a customer wrote are new, and when the newest was written."""
    counts: Counter[UUID] = Counter()
    newest: dict[UUID, datetime] = {}
    for line in lines:
        if line[AT["supabase_id"]] not in created or line[AT["direction"]] != Direction.IN:
            continue
        if line[AT["type"]] == REACTION or line[AT["deleted_at"]] is not None:
            continue
        conversation, at = line[AT["conversation_id"]], line[AT["created_at"]]
        counts[conversation] += 1
        newest[conversation] = max(at, newest.get(conversation, at))
    return {conversation: (count, newest[conversation]) for conversation, count in counts.items()}
