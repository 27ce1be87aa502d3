"""A contact whom nobody here wants to hear from: what they write is kept, wakes nobody and counts as nothing."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from config.live.unit import unit_of_work
from crm.access import check, contact_for
from crm.actors import Actor
from crm.events import announce_contact
from crm.models import Contact
from crm.roles import Action
from crm.services.audit import record
from inbox.models import Conversation
from inbox.queries import with_lines
from inbox.services.amending import amend
from inbox.states import Scope


@unit_of_work
def block_contact(*, actor: Actor, contact_id: UUID, blocked: bool) -> Contact:
    """Their conversations are spam from then on; those that only this made spam come back with them."""
    contact = contact_for(actor, contact_id, for_update=True)
    check(actor, Action.EDIT_CONTACTS)
    if (contact.blocked_at is not None) == blocked:
        return contact
    since, contact.blocked_at = contact.blocked_at, timezone.now() if blocked else None
    contact.save(update_fields=["blocked_at", "updated_at"])
    record(
        actor=actor,
        action="contact.blocked" if blocked else "contact.unblocked",
        target_kind="contact",
        target_id=contact.pk,
        detail={},
    )
    announce_contact(contact)
    rows = Conversation.objects.filter(contact=contact, scope=Scope.SUPPORT, deleted_at=None, merged_into=None)
    rows = rows.filter(spam_at=None) if blocked else rows.filter(spam_at__gte=since)
    ids = list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    shown = with_lines(Conversation.objects.select_related("channel__workspace")).filter(pk__in=ids)
    for conversation in shown.order_by("pk"):
        amend(actor, conversation, {"is_spam": blocked})
    return contact


def blocked_at(actor: Actor, contact_id: UUID) -> datetime | None:
    return contact_for(actor, contact_id).blocked_at
