"""What the team writes down about a contact. Whoever is mentioned is told, and so is whoever's team is."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from config.errors import Forbidden, Invalid, NotFound
from config.live.unit import unit_of_work
from crm.access import check, contact_for
from crm.actors import Actor, System
from crm.errors import IdReused
from crm.events import announce_mentions, announce_note, announce_note_deletion
from crm.ids import uuid7
from crm.models import ContactNote
from crm.roles import Action
from crm.search import vector_of
from crm.services.mentions import mentioned_by

LIMIT = 64 * 1024  # bytes
Hear = Callable[[Actor, ContactNote, frozenset[UUID]], None]
_hearers: list[Hear] = []


def on_mention(hear: Hear) -> None:
    """Registers `hear(actor, note, users)`, in AppConfig.ready(); it is called inside the note's unit of work."""
    if hear not in _hearers:
        _hearers.append(hear)


def visible_notes(actor: Actor, contact_id: UUID) -> "QuerySet[ContactNote]":
    """Of a contact that the actor can see; NotFound for others."""
    contact = contact_for(actor, contact_id)
    return ContactNote.objects.filter(contact=contact, deleted_at=None).select_related("author").defer("search")


@unit_of_work
def add_note(
    *, actor: Actor, contact_id: UUID, body: str, mentions: Iterable[UUID] = (), note_id: UUID | None = None
) -> tuple[ContactNote, bool]:
    """The note, and whether this call made it. The same `note_id` again is the same note."""
    contact = contact_for(actor, contact_id)
    check(actor, Action.NOTE)
    if note_id is not None and (known := ContactNote.objects.filter(pk=note_id).select_related("author").first()):
        if (known.contact_id, known.body, known.author_id) != (contact.pk, body, _author(actor)) or known.deleted_at:
            raise IdReused
        return known, False
    mentioned = mentioned_by(contact.workspace_id, body, mentions)
    note = ContactNote.objects.create(
        id=note_id or uuid7(),
        workspace_id=contact.workspace_id,
        contact=contact,
        author_id=_author(actor),
        body=_checked_body(body),
        mentions=mentioned.ids,
        search=vector_of(body),
    )
    announce_note(note, created=True)
    _tell(actor, note, mentioned.users)
    return note, True


@unit_of_work
def change_note(
    *, actor: Actor, contact_id: UUID, note_id: UUID, body: str | None = None, mentions: Iterable[UUID] | None = None
) -> ContactNote:
    """By its author, or by who manages the workspace. Only who was not mentioned before is told."""
    note = _own_note(actor, contact_id, note_id)
    before = (note.body, note.mentions)
    if body is not None:
        note.body = _checked_body(body)
    kept = note.mentions if mentions is None else ()
    mentioned = mentioned_by(note.workspace_id, note.body, mentions or (), kept=kept)
    note.mentions = mentioned.ids
    if before == (note.body, note.mentions):
        return note
    heard = mentioned_by(note.workspace_id, "", (), kept=before[1]).users
    note.search = vector_of(note.body)
    note.save(update_fields=["body", "mentions", "search", "updated_at"])
    announce_note(note)
    _tell(actor, note, mentioned.users - heard)
    return note


@unit_of_work
def delete_note(*, actor: Actor, contact_id: UUID, note_id: UUID) -> None:
    note = _own_note(actor, contact_id, note_id)
    note.deleted_at = timezone.now()
    note.save(update_fields=["deleted_at", "updated_at"])
    announce_note_deletion(note)


def _own_note(actor: Actor, contact_id: UUID, note_id: UUID) -> ContactNote:
    rows = (
        visible_notes(actor, contact_id)
        .select_related("author", "contact")
        .select_for_update(of=("self",), no_key=True)
    )
    note = rows.filter(pk=note_id).first()
    if note is None:
        raise NotFound
    check(actor, Action.NOTE)
    if not isinstance(actor, System) and note.author_id != actor.user_id and not actor.may(Action.MANAGE):
        raise Forbidden("A note is changed by who wrote it, or by an admin.")
    return note


def _tell(actor: Actor, note: ContactNote, users: frozenset[UUID]) -> None:
    others = users - {_author(actor)}
    announce_mentions(note, sorted(others))
    for hear in _hearers:
        hear(actor, note, others)


def _author(actor: Actor) -> UUID | None:
    return None if isinstance(actor, System) else actor.user_id


def _checked_body(body: str) -> str:
    if not body.strip():
        raise Invalid(errors={"body": "Write something first."})
    if len(body.encode()) > LIMIT:
        raise Invalid(errors={"body": "At most 64 KiB fit."})
    return body
