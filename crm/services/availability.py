"""Whether a member wants new work: online, away, or away and handing back what they have."""

from uuid import UUID

from config.live.unit import unit_of_work
from crm import events
from crm.access import check
from crm.actors import Member as MemberActor
from crm.models import Availability, Member
from crm.roles import Action
from crm.services.members import hand_back_all


@unit_of_work
def set_availability(*, actor: MemberActor, availability: str) -> Availability:
    check(actor, Action.REPLY)
    rows = Member.objects.select_for_update(no_key=True)
    member = rows.get(workspace_id=actor.workspace_id, user_id=actor.user_id)
    wanted = Availability(availability)
    if member.availability != wanted:
        member.availability = wanted
        member.save(update_fields=["availability"])
        events.announce_availability(actor.user_id, actor.workspace_slug, wanted)
    if wanted is Availability.HANDING:
        hand_back_all(actor, actor.user_id)
    return wanted


def availability_of(workspace_id: UUID, user_id: UUID) -> Availability:
    found = Member.objects.filter(workspace_id=workspace_id, user_id=user_id).values_list("availability", flat=True)
    return Availability(found.first() or Availability.AWAY)
