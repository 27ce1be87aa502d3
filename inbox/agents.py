"""Who can be given conversations: what they say of themselves, whether they are here, how much they have."""

from typing import TypedDict
from uuid import UUID

from django.db.models import Count

from config.live import presence
from crm.access import check
from crm.actors import Caller
from crm.models import Member
from crm.presence import WORKSPACE, topic_of
from crm.roles import Action, Role, is_allowed
from inbox.access import visible_conversations
from inbox.states import ConversationStatus

GONE = "gone"
_ABLE = [role for role in Role if is_allowed(role, Action.REPLY)]


class AgentPayload(TypedDict):
    id: UUID
    name: str
    role: str
    availability: str
    presence: str
    open_conversations: int


def list_agents(actor: Caller) -> list[AgentPayload]:
    check(actor, Action.READ_INBOX)
    here = {one["id"]: one["state"] for one in presence.people_on(topic_of(WORKSPACE, actor.workspace_slug))}
    rows = visible_conversations(actor).filter(status=ConversationStatus.OPEN, spam_at=None)
    counted = rows.exclude(assignee=None).order_by().values("assignee_id").annotate(count=Count("pk"))
    has = {row["assignee_id"]: row["count"] for row in counted}
    members = Member.objects.select_related("user").filter(
        workspace_id=actor.workspace_id, role__in=_ABLE, user__deactivated_at=None
    )
    return [
        {
            "id": member.user_id,
            "name": member.user.display_name,
            "role": member.role,
            "availability": member.availability,
            "presence": here.get(str(member.user_id), GONE),
            "open_conversations": has.get(member.user_id, 0),
        }
        for member in members.order_by("user__name", "user_id")
    ]
