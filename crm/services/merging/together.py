"""Merging: everything of one contact moves to the other, and the empty one steps aside."""

from uuid import UUID

from django.utils import timezone

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm import dossier
from crm.access import check
from crm.actors import Actor, ApiKey, Member
from crm.events import announce_contact
from crm.models import Contact, ContactMerge, IdentityKind
from crm.roles import Action
from crm.services.contacts.words import index_words
from crm.services.merging.errors import AlreadyMerged, SameContact
from crm.services.merging.events import announce_gone
from crm.services.merging.moves import Merging


@unit_of_work
def merge_contacts(*, actor: Actor, winner_id: UUID, loser_id: UUID) -> ContactMerge:
    """The loser's identities, conversations and everything else become the winner's. Where both have a value, the
    winner's stays and the loser's is in the record."""
    winner, loser = locked_pair(actor, winner_id, loser_id)
    check(actor, Action.EDIT_CONTACTS)
    for contact in (winner, loser):
        if contact.merged_into_id is not None:
            raise AlreadyMerged(contact=contact.pk, into=contact.merged_into_id)
        if contact.deleted_at is not None:
            raise NotFound
    merge = ContactMerge.objects.create(
        workspace_id=actor.workspace_id, winner=winner, loser=loser, merged_by_id=user_behind(actor)
    )
    merging = Merging(actor, merge, winner, loser)
    # First, since it sets the loser's number free. Lists and look-ups pass over what is deleted.
    merging.set(loser, merged_into_id=winner.pk, deleted_at=timezone.now())
    for part in dossier.parts():
        part.merge(merging)
    merging.flush()
    reindex(winner)
    announce_contact(winner)
    announce_gone(loser, into=winner.pk)
    return merge


def locked_pair(actor: Actor, one: UUID, other: UUID) -> tuple[Contact, Contact]:
    """Both in the order of their ids, so that A into B and B into A wait for each other instead of locking up."""
    if one == other:
        raise SameContact
    rows = Contact.objects.select_for_update().filter(workspace_id=actor.workspace_id, pk__in=[one, other])
    found = {contact.pk: contact for contact in rows.order_by("pk")}
    if not actor.may(Action.READ_INBOX) or len(found) != 2:
        raise NotFound
    return found[one], found[other]


def user_behind(actor: Actor) -> UUID | None:
    return actor.user_id if isinstance(actor, Member | ApiKey) else None


def reindex(contact: Contact) -> None:
    """Found by all that it is called now."""
    index_words(contact, contact.identities.filter(kind=IdentityKind.PHONE).values_list("value", flat=True))
    contact.save(update_fields=["search"])
