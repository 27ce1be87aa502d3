"""Search over all history: people, messages, notes, newest first (`inbox/hits.py`). Hits lead to their place."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypedDict
from uuid import UUID

from django.db.models import Q

from config.errors import Invalid
from crm.access import visible_contacts
from crm.actors import Actor
from crm.models import Contact, ContactNote
from crm.queries.words import some_named_like
from crm.roles import Action
from crm.search import fold, query_of, words_of
from inbox.access import visible_conversations
from inbox.hits import MESSAGES, NOTES, find
from inbox.models import Message

MOST_HITS = 30
PEOPLE = 10
MOST_PEOPLE = 200  # of whom the best are shown
AROUND = 60  # characters shown before a hit
SNIPPET = 200


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


def search(actor: Actor, text: str, *, before: UUID | None = None) -> SearchPayload:
    """`before`: only messages older than this one, and nothing else."""
    query = query_of(text)
    if not query:
        raise Invalid(errors={"q": "Type a word, a name or a number."})
    if not actor.may(Action.READ_INBOX):
        return {"query": text, "contacts": [], "messages": [], "notes": [], "next": None}
    marks = words_of(text)
    found = find_messages(actor, query, before=before)
    rows = _messages(actor, found)
    older = rows[MOST_HITS - 1].pk if len(rows) > MOST_HITS else None
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


def find_messages(actor: Actor, query: str, *, before: UUID | None = None, most: int = MOST_HITS) -> list[UUID]:
    return find(actor, MESSAGES, visible_conversations(actor), query, before=before, most=most)


def find_notes(actor: Actor, query: str) -> list[ContactNote]:
    found = find(actor, NOTES, visible_contacts(actor), query, most=MOST_HITS)
    rows = ContactNote.objects.filter(pk__in=found, contact__in=visible_contacts(actor))
    shown = rows.filter(deleted_at=None).select_related("contact").defer("search", "contact__search")
    return list(shown.order_by("-pk")[:MOST_HITS])


def _messages(actor: Actor, ids: Sequence[UUID]) -> list[Message]:
    """Newest first, one more than fits a page when there are more."""
    shown = Message.objects.filter(pk__in=ids, conversation__in=visible_conversations(actor), deleted_at=None)
    return list(shown.select_related("conversation__contact").only(*_MESSAGE_LINE).order_by("-pk"))


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
    said = find_messages(actor, query, most=LISTED_HITS)[:LISTED_HITS]
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
