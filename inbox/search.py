"""Search over all history: people, messages, notes. Hits lead to their place.

Messages are found newest first. The newest few thousand are looked through as they stand, which finds what is said
often; what is rarer is asked of the index, which has few of it. Neither ever sorts what a common word brings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypedDict
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from config.errors import Invalid
from crm.access import visible_contacts
from crm.actors import Actor
from crm.models import Contact, ContactNote
from crm.queries.words import some_named_like
from crm.roles import Action
from crm.search import fold, query_of, words_of
from inbox.access import visible_conversations
from inbox.models import Conversation, Message

MOST_HITS = 30
PEOPLE = 10
MOST_PEOPLE = 200  # of whom the best are shown
# How many rows are looked through before the index is asked, and how many the index may bring: about the same time.
WINDOW = 3000
FROM_INDEX = 4000
# What is common, yet not lately, is looked for so far back among messages, and then among all that the index knows.
WIDEST = 60_000
NEWER_THAN_ALL = UUID(int=2**128 - 1)
AROUND = 60  # characters shown before a hit
SNIPPET = 200

_LOOK = """
with newest as materialized (
    select id, {parent}, (search @@ %(query)s::tsquery and deleted_at is null {only}) as is_hit
    from {table} where workspace_id = %(workspace)s and id < %(before)s order by id desc limit %(window)s
), found as materialized (
    select id from newest where is_hit and {parent} in ({visible}) order by id desc limit %(most)s
)
select array(select id from found), (select id from newest order by id limit 1), (select count(*) from newest),
    case when (select count(*) from found) < %(most)s and (select count(*) from newest) = %(window)s then array(
        select id from (
            select id from {table} where workspace_id = %(workspace)s and search @@ %(query)s::tsquery
                and deleted_at is null {only} offset 0  -- or the index of ids is asked for nearly all of them
        ) as known where id < (select id from newest order by id limit 1) limit %(many)s
    ) end
"""
# Stops at the last one wanted.
_FURTHER = """
select array(
    select id from (
        select * from {table} where workspace_id = %(workspace)s and id < %(before)s
        order by id desc limit %(window)s
    ) as newest
    where search @@ %(query)s::tsquery and deleted_at is null {only} and {parent} in ({visible})
    order by id desc limit %(most)s
)
"""
# Takes longer than the other, and is the last resort: a page is never empty while there is something to find.
_ALL = """
with hit as materialized (
    select id, {parent} from {table} where workspace_id = %(workspace)s and search @@ %(query)s::tsquery
        and deleted_at is null {only}
)
select array(
    select id from hit where id < %(before)s and {parent} in ({visible}) order by id desc limit %(most)s
)
"""


class SnippetPart(TypedDict):
    text: str
    hit: bool


class PersonHit(TypedDict):
    id: UUID
    name: str
    phone: str
    email: str
    url: str


class ContactLine(TypedDict):
    id: UUID
    name: str


class MessageHit(TypedDict):
    id: UUID
    conversation: UUID
    contact: ContactLine
    direction: str
    snippet: list[SnippetPart]
    at: datetime
    url: str


class NoteHit(TypedDict):
    id: UUID
    contact: ContactLine
    snippet: list[SnippetPart]
    at: datetime
    url: str


class SearchPayload(TypedDict):
    query: str
    contacts: list[PersonHit]
    messages: list[MessageHit]
    notes: list[NoteHit]
    next: str | None  # more messages, older ones


@dataclass(frozen=True, slots=True)
class Found:
    ids: list[UUID]  # newest first
    older: UUID | None  # where to go on


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    parent: str
    only: str = ""
    widens: bool = False  # has so many rows that a second look at the newest is worth it


_MESSAGES = _Table("inbox_message", "conversation_id", "and direction <> 'activity'", widens=True)
_NOTES = _Table("crm_contactnote", "contact_id")


def search(actor: Actor, text: str, *, before: UUID | None = None) -> SearchPayload:
    """`before`: only messages older than this one, and nothing else."""
    query = query_of(text)
    if not query:
        raise Invalid(errors={"q": "Type a word, a name or a number."})
    if not actor.may(Action.READ_INBOX):
        return {"query": text, "contacts": [], "messages": [], "notes": [], "next": None}
    marks = words_of(text)
    found = find_messages(actor, query, before=before)
    rows = _messages(actor, found.ids)
    older = rows[MOST_HITS - 1].pk if len(rows) > MOST_HITS else found.older
    return {
        "query": text,
        "contacts": [] if before else [_person(contact) for contact in find_people(actor, text)],
        "messages": [_message(message, marks) for message in rows[:MOST_HITS]],
        "notes": [] if before else [_note(note, marks) for note in find_notes(actor, query)],
        "next": str(older) if older else None,
    }


# --- People ---------------------------------------------------------------------------------------------------


def find_people(actor: Actor, text: str) -> list[Contact]:
    """Those whose name begins so before the others, then the newest."""
    visible = visible_contacts(actor)
    found = visible.filter(pk__in=some_named_like(visible, text, MOST_PEOPLE))
    some = list(found.defer("search", "metadata", "attributes")[:MOST_PEOPLE])
    begins = fold(text.strip())
    some.sort(key=lambda contact: contact.created_at, reverse=True)
    some.sort(key=lambda contact: not fold(contact.name).startswith(begins))
    return some[:PEOPLE]


def _person(contact: Contact) -> PersonHit:
    return {
        "id": contact.pk,
        "name": contact.display_name,
        "phone": contact.phone_normalized or contact.phone,
        "email": contact.email,
        "url": f"/contacts/{contact.pk}",
    }


# --- Messages and notes -----------------------------------------------------------------------------------------


def find_messages(actor: Actor, query: str, *, before: UUID | None = None, most: int = MOST_HITS) -> Found:
    """Hits that the actor may see; what the index brought is checked when it is read. One more than `most` is asked."""
    visible = visible_conversations(actor)
    return _find(actor, _MESSAGES, visible, query, before=before, most=most)


def find_notes(actor: Actor, query: str) -> list[ContactNote]:
    found = _find(actor, _NOTES, visible_contacts(actor), query, before=None, most=MOST_HITS)
    rows = ContactNote.objects.filter(pk__in=found.ids[: 2 * MOST_HITS], contact__in=visible_contacts(actor))
    shown = rows.filter(deleted_at=None).select_related("contact").defer("search", "contact__search")
    return list(shown.order_by("-pk")[:MOST_HITS])


def _find(
    actor: Actor,
    table: _Table,
    visible: "QuerySet[Conversation] | QuerySet[Contact]",
    query: str,
    *,
    before: UUID | None,
    most: int,
) -> Found:
    given = {"query": query, "before": before or NEWER_THAN_ALL, "most": most + 1}
    look = {**given, "window": WINDOW, "many": FROM_INDEX}
    ids, oldest, number, older = _asked(actor, _LOOK, table, visible, look)
    if len(ids) > most or number < WINDOW:
        return Found(ids, None)
    if older is not None and len(older) < FROM_INDEX:
        return Found(ids + sorted(older, reverse=True), None)
    if table.widens:
        further = {**given, "before": oldest, "most": most + 1 - len(ids), "window": WIDEST - WINDOW}
        ids += _asked(actor, _FURTHER, table, visible, further)[0]
    if ids:
        return Found(ids, ids[-1] if len(ids) <= most else None)
    return Found(_asked(actor, _ALL, table, visible, {**given, "before": oldest})[0], None)


def _asked(
    actor: Actor,
    text: str,
    table: _Table,
    visible: "QuerySet[Conversation] | QuerySet[Contact]",
    given: dict[str, Any],
) -> tuple[Any, ...]:
    allowed, params = visible.order_by().values("pk").query.sql_with_params()
    statement = text.format(table=table.name, parent=table.parent, only=table.only, visible=_named(allowed))
    places = {f"visible{position}": value for position, value in enumerate(params)}
    with connection.cursor() as cursor:
        cursor.execute(statement, {**places, **given, "workspace": actor.workspace_id})
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _named(sql: str) -> str:
    """Django's parameters have places, ours have names."""
    parts = sql.split("%s")
    return "".join(f"{part}%(visible{place})s" for place, part in enumerate(parts[:-1])) + parts[-1]


def _messages(actor: Actor, ids: Sequence[UUID]) -> list[Message]:
    """Newest first, one more than fits a page when there are more. What the actor may not see makes room for others."""
    rows: list[Message] = []
    start, step = 0, 2 * MOST_HITS
    while start < len(ids) and len(rows) <= MOST_HITS:
        shown = Message.objects.filter(
            pk__in=ids[start : start + step], conversation__in=visible_conversations(actor), deleted_at=None
        )
        rows += shown.select_related("conversation__contact").only(*_MESSAGE_LINE).order_by("-pk")[: MOST_HITS + 1]
        start, step = start + step, step * 8  # few queries, even where much may not be seen
    return rows[: MOST_HITS + 1]


_MESSAGE_LINE = (
    *("id", "direction", "body", "created_at", "conversation_id", "conversation__contact_id"),
    *("conversation__contact__name", "conversation__contact__phone", "conversation__contact__phone_normalized"),
    "conversation__contact__email",
)


def _message(message: Message, marks: Sequence[str]) -> MessageHit:
    contact = message.conversation.contact
    return {
        "id": message.pk,
        "conversation": message.conversation_id,
        "contact": {"id": contact.pk, "name": contact.display_name},
        "direction": message.direction,
        "snippet": snippet(message.body, marks),
        "at": message.created_at,
        "url": f"/inbox/{message.conversation_id}?message={message.pk}",
    }


def _note(note: ContactNote, marks: Sequence[str]) -> NoteHit:
    return {
        "id": note.pk,
        "contact": {"id": note.contact_id, "name": note.contact.display_name},
        "snippet": snippet(note.body, marks),
        "at": note.created_at,
        "url": f"/contacts/{note.contact_id}?note={note.pk}",
    }


# --- The list of conversations ----------------------------------------------------------------------------------

# A list that is searched goes as far back as that many hits.
LISTED_HITS = 500


def conversations_like(actor: Actor, text: str) -> Q:
    """Conversations with somebody of that name, address or number, or in which it was said."""
    query = query_of(text)
    if not query:
        return Q(pk__in=[])
    people = some_named_like(visible_contacts(actor), text, LISTED_HITS)
    said = find_messages(actor, query, most=LISTED_HITS).ids[:LISTED_HITS]
    talks = Message.objects.filter(pk__in=said).order_by().values("conversation_id")
    return Q(contact_id__in=people) | Q(pk__in=talks)


# --- Marks ------------------------------------------------------------------------------------------------------


def snippet(text: str, marks: Sequence[str]) -> list[SnippetPart]:
    """The words around the first hit, cut into what was looked for and what was not."""
    folded, places = _folded(text)
    spans = _spans(folded, places, marks)
    start = max(0, spans[0][0] - AROUND) if spans else 0
    end = min(len(text), start + SNIPPET)
    parts: list[SnippetPart] = [{"text": "…", "hit": False}] if start else []
    at = start
    for first, last in spans:
        if first >= end:
            break
        parts += [{"text": text[at:first], "hit": False}, {"text": text[first : min(last, end)], "hit": True}]
        at = min(last, end)
    parts.append({"text": text[at:end] + ("…" if end < len(text) else ""), "hit": False})
    return [part for part in parts if part["text"]]


@lru_cache(maxsize=4096)
def _fold_one(character: str) -> str:
    return fold(character)


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place in `text` that it came from."""
    pieces: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        piece = _fold_one(character)
        pieces.append(piece)
        places += [place] * len(piece)
    return "".join(pieces), [*places, len(text)]


def _spans(folded: str, places: list[int], marks: Sequence[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for mark in marks:
        at = folded.find(mark)
        while at >= 0:
            found.append((places[at], places[at + len(mark)]))
            at = folded.find(mark, at + len(mark))
    found.sort()
    joined: list[tuple[int, int]] = []
    for first, last in found:
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        elif last > first:
            joined.append((first, last))
    return joined
