"""Old messages into their conversations, at the place where they were written; counted as read by everybody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crm.erased import Traced
from inbox.old_data import lines, standing, values
from inbox.old_data.lines import NONE, Line
from inbox.old_data.places import Thread, threads
from inbox.old_data.report import Tally
from inbox.old_data.scope import LeftOut, Scope
from inbox.old_data.staging import Stage, execute, fetch

ONCE = {"provider_id", "send_attempt"}  # of a row that is here they stay
ALSO = ("updated_at", "search")
COMPARED = (
    "sender_user_id",
    *(column for column in lines.REST if column not in {*ONCE, *ALSO}),
    "reply_to_id",
)
# As `lines.in_full` has them; what it answers is filled in afterwards.
COLUMNS = (
    "id",
    "supabase_id",
    "workspace_id",
    "conversation_id",
    "channel_id",
    "sender_user_id",
    *lines.REST,
    "reply_to_id",
)
STAGE = Stage("inbox_message", COLUMNS, compared=COMPARED, also=ALSO, later=("reply_to_id",))
# Here under another old id or none, by the provider's: it came by a webhook as well. One look into the index for each.
_PROVIDED = f"""
    select s.supabase_id::text, m.id, m.supabase_id is null
    from {STAGE.name} s cross join lateral (
        select m.id, m.supabase_id from inbox_message m
        where m.channel_id = s.channel_id and m.provider_id = s.provider_id and m.provider_id <> '' limit 1
    ) m
    where s.provider_id <> '' and m.supabase_id is distinct from s.supabase_id
"""  # noqa: S608  # names of our own, here and below
_LINK = """
    update inbox_message m set supabase_id = l.old from unnest(%(ids)s::uuid[], %(olds)s::uuid[]) as l(id, old)
    where m.id = l.id
"""
_TAKE_OUT = f"delete from {STAGE.name} where supabase_id = any(%(olds)s::uuid[])"  # noqa: S608
# What each answers, of this batch or of one before.
_ANSWER = f"""
    update {STAGE.name} s set reply_to_id = coalesce(m.id, x.id)
    from unnest(%(olds)s::uuid[], %(targets)s::uuid[]) as a(old, target)
    left join inbox_message m on m.supabase_id = a.target
    left join {STAGE.name} x on x.supabase_id = a.target
    where s.supabase_id = a.old and coalesce(m.id, x.id) is not null
    returning a.old::text
"""  # noqa: S608
_ANSWER_LATER = """
    update inbox_message m set reply_to_id = r.id
    from unnest(%(olds)s::uuid[], %(targets)s::uuid[]) as w(old, target)
    join inbox_message r on r.supabase_id = w.target
    where m.supabase_id = w.old and m.workspace_id = r.workspace_id and m.reply_to_id is null
"""
# Of each conversation: new and changed ones, and how many that a customer wrote are new, with the newest's time.
_PUT = f"""
    with put as (
        {STAGE.upsert} returning t.conversation_id, t.created_at, t.xmax = 0 as is_new,
            t.xmax = 0 and t.direction = 'in' and t.type <> '{lines.REACTION}' and t.deleted_at is null as counts
    )
    select conversation_id, count(*) filter (where is_new), count(*) filter (where not is_new),
        count(*) filter (where counts), max(created_at) filter (where counts)
    from put group by conversation_id
"""  # noqa: S608


@dataclass(slots=True)
class _Batch:
    """What the database knows of a batch's surroundings, and which lines of it may come in."""

    places: dict[str, tuple[Thread, str]]  # by the conversation's old id; with what `in_full` is told
    left: frozenset[str]  # conversations that this run is not about
    gone: set[str]  # conversations that were erased here
    erased: set[str]
    tally: Tally = field(default_factory=Tally)
    ready: dict[str, Line] = field(default_factory=dict)
    slots: set[str] = field(default_factory=set)
    rows: dict[str, str] = field(default_factory=dict)  # as COPY takes them

    def refuse(self, line: Line, reason: str) -> None:
        self.tally.refuse(values.text(line.given), reason)


class Messages:
    name = "messages"

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._waiting: dict[str, str] = {}  # messages whose reply_to has not come yet
        self._fitting: set[tuple[str, UUID]] = set()  # old workspaces, and the ones here that they are

    def read(self, rows: list[dict[str, Any]]) -> list[Line]:
        """Asks no database: the next batch is read while one is being written."""
        return [lines.read(raw, any_ids=self._scope.mapped.any_ids) for raw in rows]

    def write(self, rows: list[Line]) -> Tally:
        batch = self._batch(rows)
        for line in rows:
            try:
                self._take(line, batch)
            except LeftOut:
                batch.tally.counts["left_out"] += 1
            except values.Refused as refused:
                batch.refuse(line, refused.reason)
        if batch.rows:
            self._write(batch)
        tally = batch.tally
        if tally.counts["created"] or tally.counts["updated"]:
            self._scope.touched.update(thread.slug for thread, _ in batch.places.values())
        return tally

    def finish(self) -> None:
        """Replies to what came after them."""
        if self._waiting:
            execute(_ANSWER_LATER, {"olds": list(self._waiting), "targets": list(self._waiting.values())})
            self._waiting.clear()

    def forget(self) -> None:
        self._fitting.clear()

    def drop(self) -> None:
        STAGE.drop()

    # --- Finding their places --------------------------------------------------------------------------------

    def _batch(self, rows: Sequence[Line]) -> _Batch:
        scope = self._scope
        scope.learn_users({line.sender for line in rows if line.sender})
        conversations = {old: UUID(old) for old in {line.conversation for line in rows} if old}
        found = threads(conversations.values())
        places = {
            old: (thread, f"{thread.workspace_id}\t{thread.id}\t{thread.channel_id}")
            for old, id_ in conversations.items()
            if (thread := found.get(id_))
        }
        left = frozenset(old for old, id_ in conversations.items() if id_ in scope.left_conversations)
        gone = scope.erased_ids(Traced.OLD_CONVERSATION, conversations)
        erased = scope.erased_ids(Traced.OLD_MESSAGE, (line.old for line in rows if line.old))
        return _Batch(places, left, gone, erased)

    def _take(self, line: Line, batch: _Batch) -> None:
        if line.conversation in batch.gone:
            raise values.Refused("erased")
        if line.misplaced:
            raise values.Refused(line.misplaced)
        thread, place = self._place(line, batch)
        for change in line.changes:
            batch.tally.change(line.old, change)
        if line.refused:
            raise values.Refused(line.refused)
        sender = self._sender(line, batch) if line.sender and line.written_by_member else NONE
        if line.old in batch.erased:
            raise values.Refused("erased")
        if line.old in batch.ready:
            raise values.Refused("id_twice")
        if line.provider_id:
            slot = f"{thread.channel_id} {line.provider_id}"
            if slot in batch.slots:
                raise values.Refused("provider_id_twice")
            batch.slots.add(slot)
        batch.ready[line.old] = line
        batch.rows[line.old] = lines.in_full(line, place, sender)

    def _place(self, line: Line, batch: _Batch) -> tuple[Thread, str]:
        scope = self._scope
        if line.conversation in batch.left or scope.is_left_out(line.workspace):
            raise LeftOut
        found = batch.places.get(line.conversation)
        if found is None:
            raise values.Refused("unknown_conversation")
        if scope.left_out and found[0].old_workspace in scope.left_out:
            raise LeftOut
        if line.workspace and (line.workspace, found[0].workspace_id) not in self._fitting:
            if scope.place(line.workspace).id != found[0].workspace_id:
                raise values.Refused("other_workspace")
            self._fitting.add((line.workspace, found[0].workspace_id))
        return found

    def _sender(self, line: Line, batch: _Batch) -> str:
        user = self._scope.user(line.sender)
        if user is None:
            batch.tally.change(line.old, "unknown_sender")
            return NONE
        return str(user)

    # --- Writing ---------------------------------------------------------------------------------------------

    def _write(self, batch: _Batch) -> None:
        standing.lock({batch.places[line.conversation][0].id for line in batch.ready.values()})
        STAGE.fill(batch.rows.values())
        _link(batch)
        later = _answer(batch.ready.values())
        gone = standing.about_to_go([line.old for line in batch.ready.values() if line.deleted])
        put = fetch(_PUT, {})
        if put:
            touched = [row[0] for row in put]
            standing.sum_up(touched)
            standing.count_as_read({row[0]: (row[3], row[4]) for row in put if row[3]}, gone)
            if not self._scope.dry:
                standing.send_back_to_snapshot(touched)
        created, updated = sum(row[1] for row in put), sum(row[2] for row in put)
        batch.tally.wrote(len(batch.ready), created, updated)
        self._waiting.update(later)


def _link(batch: _Batch) -> None:
    """Those that are here already by their provider's id only learn their old one."""
    known = fetch(_PROVIDED, {}) if batch.slots else []
    if not known:
        return
    links: dict[UUID, str] = {}
    for old, id_, is_free in known:
        line = batch.ready.pop(old)
        if is_free:
            links[id_] = old
            batch.tally.counts["linked"] += 1
        else:
            batch.refuse(line, "provider_id_twice")
    execute(_TAKE_OUT, {"olds": [row[0] for row in known]})
    execute(_LINK, {"ids": list(links), "olds": list(links.values())})


def _answer(ready: Iterable[Line]) -> dict[str, str]:
    """Gives those that answer what is not here yet."""
    asked = {line.old: line.reply_to for line in ready if line.reply_to}
    if not asked:
        return {}
    found = {row[0] for row in fetch(_ANSWER, {"olds": list(asked), "targets": list(asked.values())})}
    return {old: target for old, target in asked.items() if old not in found}
