"""What the team writes down about a contact. Whoever is mentioned is told."""

import re
from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from config.errors import Forbidden, Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check, contact_for
from crm.actors import Actor, System
from crm.errors import IdReused
from crm.events import announce_mentions, announce_note, announce_note_deletion
from crm.ids import uuid7
from crm.models import Contact, ContactNote
from crm.models import Member as Membership
from crm.roles import Action, is_allowed
from crm.search import vector_of

LIMIT = 64 * 1024  # bytes
MOST_MENTIONS = 50
# What the page writes when somebody is picked from the list that @ opens
_PICK = re.compile(r"@\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)


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
    told = _checked_mentions(contact, body, mentions)
    note = ContactNote.objects.create(
        id=note_id or uuid7(),
        workspace_id=contact.workspace_id,
        contact=contact,
        author_id=_author(actor),
        body=_checked_body(body),
        mentions=told,
        search=vector_of(body),
    )
    announce_note(note, created=True)
    announce_mentions(note, [user_id for user_id in told if user_id != note.author_id])
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
    note.mentions = _checked_mentions(note.contact, note.body, mentions or (), kept)
    if before == (note.body, note.mentions):
        return note
    note.search = vector_of(note.body)
    note.save(update_fields=["body", "mentions", "search", "updated_at"])
    announce_note(note)
    announce_mentions(note, [one for one in note.mentions if one not in before[1] and one != _author(actor)])
    return note


@unit_of_work
def delete_note(*, actor: Actor, contact_id: UUID, note_id: UUID) -> None:
    note = _own_note(actor, contact_id, note_id)
    note.deleted_at = timezone.now()
    note.save(update_fields=["deleted_at", "updated_at"])
    announce_note_deletion(note)


def _own_note(actor: Actor, contact_id: UUID, note_id: UUID) -> ContactNote:
    rows = visible_notes(actor, contact_id).select_related("author", "contact").select_for_update(of=("self",))
    note = rows.filter(pk=note_id).first()
    if note is None:
        raise NotFound
    check(actor, Action.NOTE)
    if not isinstance(actor, System) and note.author_id != actor.user_id and not actor.may(Action.MANAGE):
        raise Forbidden("A note is changed by who wrote it, or by an admin.")
    return note


def _author(actor: Actor) -> UUID | None:
    return None if isinstance(actor, System) else actor.user_id


def _checked_body(body: str) -> str:
    if not body.strip():
        raise Invalid(errors={"body": "Write something first."})
    if len(body.encode()) > LIMIT:
        raise Invalid(errors={"body": "At most 64 KiB fit."})
    return body


def _checked_mentions(contact: Contact, body: str, named: Iterable[UUID], kept: Iterable[UUID] = ()) -> list[UUID]:
    """Those named by id must be able to read notes here; a pick in the words that names nobody is just words."""
    named = list(named)
    picked = [UUID(found) for found in _PICK.findall(body)]
    wanted = list(dict.fromkeys([*kept, *named, *picked]))
    members = Membership.objects.filter(
        workspace_id=contact.workspace_id, user_id__in=wanted, user__deactivated_at=None
    ).values_list("user_id", "role")
    able = {user_id for user_id, role in (members if wanted else ()) if is_allowed(role, Action.READ_INBOX)}
    if any(user_id not in able for user_id in named):
        raise Invalid(errors={"mentions": "Not everybody named here can read notes of this workspace."})
    found = [user_id for user_id in wanted if user_id in able]
    if len(found) > MOST_MENTIONS:
        raise Invalid(errors={"mentions": Said("At most {most} people.", most=MOST_MENTIONS)})
    return found
