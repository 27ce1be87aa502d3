"""A contact's conversations go with it when it is deleted, and come back with it."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from crm.actors import Actor
from crm.models import Contact
from inbox.events import announce_conversation, announce_gone
from inbox.models import Conversation
from inbox.queries import with_lines
from inbox.states import Scope


def hide(actor: Actor, contact: Contact, deleted_at: datetime) -> None:
    """With the contact's own time, by which they are known again."""
    rows = list(_of(contact).filter(deleted_at=None))
    Conversation.objects.filter(pk__in=[row.pk for row in rows]).update(
        deleted_at=deleted_at, updated_at=timezone.now()
    )
    for conversation in rows:
        announce_gone(conversation)


def show_again(actor: Actor, contact: Contact, deleted_at: datetime) -> None:
    rows = list(_of(contact).filter(deleted_at=deleted_at))
    Conversation.objects.filter(pk__in=[row.pk for row in rows]).update(deleted_at=None, updated_at=timezone.now())
    for conversation in rows:
        conversation.deleted_at = None
        if conversation.scope == Scope.SUPPORT:
            announce_conversation(conversation)


def _of(contact: Contact) -> QuerySet[Conversation]:
    """In one order, so that two who lock them cannot wait for each other."""
    rows = with_lines(Conversation.objects.select_related("channel__workspace")).filter(contact=contact)
    return rows.select_for_update(of=("self",), no_key=True).order_by("pk")
