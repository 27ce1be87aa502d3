"""What members do with a conversation as a whole: take it, hand it over, resolve it, read it."""

from uuid import UUID

from django.utils import timezone

from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, Member, System
from crm.models import Team
from crm.roles import Action
from inbox.access import conversation_for
from inbox.activity_words import HANDED_BACK, NOT_HERE
from inbox.errors import AlreadyClaimed
from inbox.events import announce_read, announce_unread
from inbox.models import Conversation, ConversationReader
from inbox.queries import get_seen_counts, with_lines
from inbox.services.amending import Known, Wanted, amend
from inbox.services.notices import take_notices_of
from inbox.services.presence import tell_read
from inbox.states import ConversationStatus, Scope
from jobs import rows
from jobs.compiled import Compiled

# Asked whenever a member looks at a conversation.
_READER = Compiled(
    lambda conversation, user: ConversationReader.objects.filter(
        conversation=conversation, user_id=user
    ).select_for_update(no_key=True),
    UUID,
    UUID,
)


@unit_of_work
def change_conversation(*, actor: Actor, conversation_id: UUID, wanted: Wanted) -> Conversation:
    """Whatever of it changes at once. Reopening while another conversation with the same contact is open raises
    AnotherIsOpen with its id."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    amend(actor, conversation, wanted)
    return conversation


def assign_conversation(*, actor: Actor, conversation_id: UUID, assignee_id: UUID | None) -> Conversation:
    return change_conversation(actor=actor, conversation_id=conversation_id, wanted={"assignee_id": assignee_id})


def set_status(*, actor: Actor, conversation_id: UUID, status: ConversationStatus) -> Conversation:
    return change_conversation(actor=actor, conversation_id=conversation_id, wanted={"status": status})


@unit_of_work
def claim_conversation(*, actor: Member, conversation_id: UUID) -> Conversation:
    """For oneself, if nobody has it: of two at once one wins, and the other learns who."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    check(actor, Action.ASSIGN)
    holder = conversation.assignee
    if holder is not None and holder.pk != actor.user_id:
        raise AlreadyClaimed(assignee={"id": str(holder.pk), "name": holder.display_name})
    amend(actor, conversation, {"assignee_id": actor.user_id})
    return conversation


@unit_of_work
def hand_back(actor: Actor, user_id: UUID) -> None:
    """Everything assigned to the user in the actor's workspace becomes nobody's again."""
    held = Conversation.objects.filter(workspace_id=actor.workspace_id, assignee_id=user_id)
    ids = list(held.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    by_themselves = getattr(actor, "user_id", None) == user_id
    source = System(actor.workspace_id, HANDED_BACK if by_themselves else NOT_HERE)
    known = Known(actor.workspace_id)
    shown = with_lines(Conversation.objects.select_related("channel__workspace")).filter(
        pk__in=ids, scope=Scope.SUPPORT, deleted_at=None, merged_into=None
    )
    for conversation in shown.order_by("pk"):
        amend(source, conversation, {"assignee_id": None}, known)
    Conversation.objects.filter(pk__in=ids, assignee_id=user_id).update(assignee=None, updated_at=timezone.now())


@unit_of_work
def leave_team(actor: Actor, team: Team) -> None:
    """The team goes. In the order of ids, as whoever locks several does."""
    rows = Conversation.objects.filter(workspace_id=actor.workspace_id, team=team)
    ids = list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    shown = with_lines(Conversation.objects.select_related("channel__workspace")).filter(
        pk__in=ids, scope=Scope.SUPPORT, deleted_at=None, merged_into=None
    )
    for conversation in shown.exclude(status=ConversationStatus.RESOLVED).order_by("pk"):
        amend(actor, conversation, {"team_id": None}, Known(actor.workspace_id))
    Conversation.objects.filter(pk__in=ids, team=team).update(team=None, updated_at=timezone.now())


@unit_of_work
def mark_read(*, actor: Member, conversation_id: UUID, seen_count: int | None = None) -> ConversationReader:
    """Up to `seen_count` incoming messages, all by default. Reading never goes backwards here."""
    conversation = conversation_for(actor, conversation_id)
    take_notices_of(actor, conversation.pk)
    wanted = conversation.inbound_count if seen_count is None else min(seen_count, conversation.inbound_count)
    reader, created = _READER.first(conversation.pk, actor.user_id), False
    if reader is None:
        start = get_seen_counts(actor, [conversation])[conversation.pk]
        reader, created = ConversationReader.objects.select_for_update(no_key=True).get_or_create(
            conversation=conversation,
            user_id=actor.user_id,
            defaults={"workspace_id": conversation.workspace_id, "seen_count": max(start, wanted)},
        )
    reader.conversation = conversation
    if not created and wanted <= reader.seen_count:
        return reader
    if not created:
        reader.seen_count, reader.updated_at = wanted, timezone.now()
        rows.update(reader, ["seen_count", "updated_at"])
    announce_read(actor.user_id, conversation.pk, reader.seen_count)
    if reader.seen_count == conversation.inbound_count:
        tell_read(conversation)
    return reader


@unit_of_work
def mark_unread(*, actor: Member, conversation_id: UUID) -> ConversationReader:
    """The newest incoming message counts as not seen any more; for the reader alone."""
    conversation = conversation_for(actor, conversation_id)
    wanted = max(conversation.inbound_count - 1, 0)
    seen = get_seen_counts(actor, [conversation])[conversation.pk]
    reader, _ = ConversationReader.objects.select_for_update(no_key=True).get_or_create(
        conversation=conversation,
        user_id=actor.user_id,
        defaults={"workspace_id": conversation.workspace_id, "seen_count": seen},
    )
    if reader.seen_count > wanted:
        reader.seen_count = wanted
        reader.updated_at = timezone.now()
        reader.save(update_fields=["seen_count", "updated_at"])
        announce_unread(actor.user_id, conversation.pk, wanted)
    return reader
