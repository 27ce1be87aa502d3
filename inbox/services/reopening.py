"""A customer writes into what was resolved or snoozed: it is open again, with whom it was, unless they are away."""

from config.errors import Said
from crm.actors import System
from crm.models import Availability, Member
from crm.roles import Action, is_allowed
from inbox.activity_words import AWAY, CAME_BACK, LEFT, NOT_HERE
from inbox.models import Conversation
from inbox.services import assigning
from inbox.services.activity import add_line
from inbox.states import ConversationStatus


def reopen(conversation: Conversation) -> list[str]:
    """The columns that changed, for whoever saves the row: it is locked, and in the midst of other changes."""
    actor, before = System(conversation.workspace_id, "inbound"), conversation.status
    conversation.status, conversation.snoozed_until = ConversationStatus.OPEN, None
    conversation.resolved_at = None
    detail = {"status": "open", "before": before, "until": None}
    add_line(actor, conversation, "reopened", Said(CAME_BACK), detail)
    _leave_who_is_away(actor, conversation)
    assigning.offer(conversation)
    return ["status", "snoozed_until", "resolved_at", "assignee"]


def _leave_who_is_away(actor: System, conversation: Conversation) -> None:
    """Nobody should wait for somebody who is not there."""
    assignee = conversation.assignee
    if assignee is None:
        return
    member = Member.objects.filter(workspace_id=conversation.workspace_id, user=assignee).first()
    why = AWAY if member is not None and is_allowed(member.role, Action.REPLY) else NOT_HERE
    if member is not None and why == AWAY and member.availability == Availability.ONLINE:
        return
    conversation.assignee = None
    before = {"id": str(assignee.pk), "name": assignee.display_name}
    add_line(
        actor,
        conversation,
        "assigned",
        Said(LEFT[why], name=assignee.display_name),
        {"assignee": None, "before": before, "is_self": False, "why": why},
    )
