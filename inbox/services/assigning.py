"""Gives a team's open conversations to its members in turn: to those who are here and want work.

A job of its own after the change, so that no customer's message waits for it; the clock asks again each minute, for
what nobody could take at the time.
"""

from collections.abc import Mapping
from uuid import UUID

from django.db.models import Count, F, Q
from django.utils import timezone

from config.live import presence
from config.live.unit import unit_of_work
from crm.ids import uuid7
from crm.models import Availability, Member, Team, TeamMember
from crm.presence import WORKSPACE, topic_of
from crm.roles import Action, Role, is_allowed
from inbox.models import Conversation
from inbox.states import ConversationStatus, Scope
from jobs.payloads import JSON
from jobs.queue import enqueue

SHARE_OUT = "inbox.share_out"
AT_ONCE = 200
# Who has had no hand on the page for so long is away, whatever they say of themselves: s
AWAY_AFTER = 10 * 60
WAITING = Q(
    scope=Scope.SUPPORT, status=ConversationStatus.OPEN, assignee=None, deleted_at=None, merged_into=None, spam_at=None
)


def offer(conversation: Conversation) -> None:
    """Inside the unit of work that may have left it open and nobody's."""
    is_free = conversation.status == ConversationStatus.OPEN and conversation.assignee_id is None
    if not is_free or conversation.team_id is None or conversation.spam_at is not None:
        return
    if conversation.team is not None and conversation.team.assigns_itself:
        _enqueue(conversation.pk, conversation.workspace_id)


def _enqueue(conversation_id: UUID, workspace_id: UUID) -> None:
    """In one lane a workspace, so that two are never given out by the same look at who has how many."""
    enqueue(
        SHARE_OUT,
        key=f"share:{conversation_id}:{uuid7()}",
        lane=f"share:{workspace_id}",
        workspace_id=workspace_id,
        payload={"conversation_id": str(conversation_id)},
    )


def offer_waiting() -> Mapping[str, JSON]:
    """Those that nobody could take: somebody may have come since."""
    rows = Conversation.objects.filter(WAITING, team__assigns_itself=True).order_by("last_activity_at", "pk")
    waiting = list(rows.values_list("pk", "workspace_id", "workspace__slug", "team_id")[:AT_ONCE])
    here = {slug: _here(slug) for slug in {row[2] for row in waiting}}
    offered = 0
    for pk, workspace_id, slug, _ in waiting:
        if here[slug]:
            _enqueue_alone(pk, workspace_id)
            offered += 1
    return {"offered": offered}


@unit_of_work
def _enqueue_alone(conversation_id: UUID, workspace_id: UUID) -> None:
    _enqueue(conversation_id, workspace_id)


def _here(slug: str) -> set[str]:
    return presence.at_hand(topic_of(WORKSPACE, slug), idle_seconds=AWAY_AFTER)


def next_member(team: Team, slug: str) -> TeamMember | None:
    """Whose turn it is, locked with the team; None when nobody is here, or all have as many as they may."""
    able = [role for role in Role if is_allowed(role, Action.REPLY)]
    ready = Member.objects.filter(
        workspace_id=team.workspace_id,
        role__in=able,
        availability=Availability.ONLINE,
        user__deactivated_at=None,
        user_id__in=_here(slug),
    ).values("user_id")
    members = TeamMember.objects.filter(team=team, user_id__in=ready)
    for member in members.order_by(F("last_assigned_at").asc(nulls_first=True), "id"):
        if team.most_open is None or _open_of(member) < team.most_open:
            return member
    return None


def _open_of(member: TeamMember) -> int:
    rows = Conversation.objects.filter(
        workspace_id=member.workspace_id,
        assignee_id=member.user_id,
        status=ConversationStatus.OPEN,
        scope=Scope.SUPPORT,
        deleted_at=None,
        merged_into=None,
    )
    return int(rows.aggregate(count=Count("pk"))["count"])


def had_a_turn(member: TeamMember) -> None:
    TeamMember.objects.filter(pk=member.pk).update(last_assigned_at=timezone.now())
