"""One run of the job that gives a conversation to whose turn it is."""

from uuid import UUID

from config.live.unit import unit_of_work
from crm.actors import System
from crm.models import Team
from inbox.models import Conversation
from inbox.queries import with_lines
from inbox.services.amending import amend
from inbox.services.assigning import WAITING, had_a_turn, next_member


@unit_of_work
def share_out(*, conversation_id: UUID) -> str | None:
    """To whom it went. Conversation first, then team: whoever locks both does it in this order."""
    rows = Conversation.objects.select_for_update(of=("self",), no_key=True).filter(WAITING, team__assigns_itself=True)
    found = rows.filter(pk=conversation_id).values_list("team_id", "workspace__slug").first()
    if found is None:
        return None
    team = Team.objects.select_for_update(no_key=True).filter(pk=found[0]).first()
    member = next_member(team, found[1]) if team is not None else None
    if member is None:
        return None
    conversation = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=conversation_id)
    amend(System(conversation.workspace_id, "round_robin"), conversation, {"assignee_id": member.user_id})
    had_a_turn(member)
    return str(member.user_id)
