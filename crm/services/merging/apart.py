"""Undoing a merge, and remembering that two contacts who look alike are two people."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm import dossier
from crm.access import check, visible_contacts
from crm.actors import Actor
from crm.events import announce_contact
from crm.models import Contact, ContactMerge
from crm.roles import Action
from crm.services.merging.errors import CannotUndoMerge, MergeUndone
from crm.services.merging.moves import Undoing
from crm.services.merging.together import locked_pair, reindex, user_behind


@unit_of_work
def undo_merge(*, actor: Actor, merge_id: UUID) -> ContactMerge:
    """Everything that moved goes back, as far as it is still as the merge left it. What came later stays with the
    winner. Later merges are undone first."""
    merge = visible_merges(actor).filter(pk=merge_id).first()
    if merge is None:
        raise NotFound
    check(actor, Action.EDIT_CONTACTS)
    winner, loser = locked_pair(actor, merge.winner_id, merge.loser_id)
    merge = ContactMerge.objects.select_for_update(no_key=True).get(pk=merge_id)
    _check_undoable(merge, winner)
    undoing = Undoing(actor, merge, winner, loser)
    try:
        with transaction.atomic():
            undoing.take_back()
            _read_again(undoing)
            for part in reversed(dossier.parts()):
                part.unmerge(undoing)
    except IntegrityError:
        raise CannotUndoMerge("Something that came later is in the place of what would go back.") from None
    merge.undone_at, merge.undone_by_id = timezone.now(), user_behind(actor)
    merge.save(update_fields=["undone_at", "undone_by"])
    for contact in (undoing.winner, undoing.loser):
        reindex(contact)
        announce_contact(contact)
    return merge


def _check_undoable(merge: ContactMerge, winner: Contact) -> None:
    if merge.undone_at is not None:
        raise MergeUndone
    if winner.merged_into_id is not None:
        later = ContactMerge.objects.filter(loser=winner, undone_at=None).values_list("pk", flat=True).first()
        raise CannotUndoMerge("The contact was merged into another one since. Undo that first.", merge=later)
    if winner.deleted_at is not None:
        raise CannotUndoMerge("The contact it was merged into is deleted. Restore it first.")


def _read_again(undoing: Undoing) -> None:
    undoing.winner.refresh_from_db()
    undoing.loser.refresh_from_db()


# --- Two people after all ---------------------------------------------------------------------------------------

# A merge that was never made stands in the table as one that was undone in the moment of its making.
NEVER_MADE = Q(undone_at=F("merged_at"))


def visible_merges(actor: Actor) -> QuerySet[ContactMerge]:
    if not actor.may(Action.READ_INBOX):
        return ContactMerge.objects.none()
    return ContactMerge.objects.filter(workspace_id=actor.workspace_id).exclude(NEVER_MADE)


@unit_of_work
def keep_apart(*, actor: Actor, contact_ids: tuple[UUID, UUID]) -> None:
    """The two are no longer offered as duplicates. Saying so twice is the same as once."""
    one, other = sorted(contact_ids)
    if visible_contacts(actor).filter(pk__in=contact_ids).count() != 2:
        raise NotFound
    check(actor, Action.EDIT_CONTACTS)
    locked_pair(actor, one, other)
    known = ContactMerge.objects.filter(
        Q(winner=one, loser=other) | Q(winner=other, loser=one), undone_at__isnull=False
    )
    if known.exists():
        return
    row = ContactMerge.objects.create(
        workspace_id=actor.workspace_id,
        winner_id=one,
        loser_id=other,
        undone_at=timezone.now(),
        undone_by_id=user_behind(actor),
    )
    ContactMerge.objects.filter(pk=row.pk).update(merged_at=F("undone_at"))
