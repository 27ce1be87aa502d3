"""What members do with a conversation as a whole: take it, hand it over, resolve it, read it."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, Member
from crm.models import Member as Membership
from crm.roles import Action, is_allowed
from inbox.access import conversation_for
from inbox.errors import AnotherIsOpen, UnknownAssignee
from inbox.events import announce_conversation, announce_read
from inbox.models import Conversation, ConversationReader
from inbox.queries import get_seen_counts, with_lines
from inbox.services.archiving import archive_conversation
from inbox.services.presence import tell_read
from inbox.states import ConversationStatus, Scope


@unit_of_work
def assign_conversation(*, actor: Actor, conversation_id: UUID, assignee_id: UUID | None) -> Conversation:
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.ASSIGN)
    if conversation.assignee_id == assignee_id:
        return conversation
    if assignee_id is not None:
        _check_assignee(conversation, assignee_id)
    conversation.assignee_id = assignee_id
    conversation.save(update_fields=["assignee", "updated_at"])
    announce_conversation(conversation)
    return conversation


@unit_of_work
def hand_back(actor: Actor, user_id: UUID) -> None:
    """Everything assigned to the user in the actor's workspace becomes nobody's again."""
    held = Conversation.objects.filter(workspace_id=actor.workspace_id, assignee_id=user_id)
    ids = list(held.select_for_update().order_by("pk").values_list("pk", flat=True))
    Conversation.objects.filter(pk__in=ids).update(assignee=None, updated_at=timezone.now())
    rows = with_lines(Conversation.objects.select_related("channel__workspace")).filter(
        pk__in=ids, scope=Scope.SUPPORT, deleted_at=None
    )
    for conversation in rows:
        announce_conversation(conversation)


def _check_assignee(conversation: Conversation, assignee_id: UUID) -> None:
    membership = Membership.objects.filter(
        workspace_id=conversation.workspace_id, user_id=assignee_id, user__deactivated_at=None
    ).first()
    if membership is None or not is_allowed(membership.role, Action.REPLY):
        raise UnknownAssignee(errors={"assignee": "Not a member who can answer here."})


@unit_of_work
def set_status(*, actor: Actor, conversation_id: UUID, status: ConversationStatus) -> Conversation:
    """Reopening while another conversation with the same contact is open raises AnotherIsOpen with its id."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.RESOLVE)
    if conversation.status == status:
        return conversation
    conversation.status = status
    fields = ["status", "updated_at"]
    if status == ConversationStatus.RESOLVED:
        conversation.waiting_since = None
        fields.append("waiting_since")
    try:
        with transaction.atomic():
            conversation.save(update_fields=fields)
    except IntegrityError:
        raise AnotherIsOpen(conversation=_open_one(conversation)) from None
    announce_conversation(conversation)
    archive_conversation(conversation)
    return conversation


def _open_one(conversation: Conversation) -> UUID | None:
    return (
        Conversation.objects.filter(
            channel_id=conversation.channel_id,
            contact_id=conversation.contact_id,
            scope=conversation.scope,
            deleted_at=None,
            merged_into=None,
        )
        .exclude(status=ConversationStatus.RESOLVED)
        .exclude(pk=conversation.pk)
        .values_list("pk", flat=True)
        .first()
    )


@unit_of_work
def mark_read(*, actor: Member, conversation_id: UUID, seen_count: int | None = None) -> ConversationReader:
    """Up to `seen_count` incoming messages, all by default. Reading never goes backwards here."""
    conversation = conversation_for(actor, conversation_id)
    wanted = conversation.inbound_count if seen_count is None else min(seen_count, conversation.inbound_count)
    start = get_seen_counts(actor, [conversation])[conversation.pk]
    reader, created = ConversationReader.objects.select_for_update().get_or_create(
        conversation=conversation,
        user_id=actor.user_id,
        defaults={"workspace_id": conversation.workspace_id, "seen_count": max(start, wanted)},
    )
    if not created and wanted <= reader.seen_count:
        return reader
    reader.seen_count = max(reader.seen_count, wanted)
    reader.updated_at = timezone.now()
    reader.save(update_fields=["seen_count", "updated_at"])
    announce_read(actor.user_id, conversation.pk, reader.seen_count)
    if reader.seen_count == conversation.inbound_count:
        tell_read(conversation)
    return reader
