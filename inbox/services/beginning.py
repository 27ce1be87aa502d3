"""A member writes first: a conversation with a contact on a channel, the open one if there is one."""

from uuid import UUID

from config.errors import Invalid
from config.live.unit import unit_of_work
from crm.access import check, contact_for
from crm.actors import Caller
from crm.roles import Action
from inbox.access import conversation_for
from inbox.events import announce_conversation
from inbox.models import Channel, Conversation
from inbox.senders import has_provider
from inbox.services.amending import amend
from inbox.services.inbound import conversation_with
from inbox.services.starting import road_for
from inbox.states import ConversationStatus


@unit_of_work
def begin_conversation(*, actor: Caller, contact_id: UUID, channel: str, via: str = "") -> tuple[Conversation, bool]:
    """And whether it is new. The latest of them is opened again, so that what was said before stands above. `via` is
    how, where a channel has two ways and nothing has gone either of them."""
    contact = contact_for(actor, contact_id)
    check(actor, Action.REPLY)
    on = _channel(actor, channel)
    if not contact.phone_normalized:
        raise Invalid(errors={"contact": "There is no number of theirs to write to."})
    road = road_for(actor, contact_id, channel, via) if via else None
    found, created = conversation_with(on, contact)
    conversation = conversation_for(actor, found.pk, for_update=True)
    if road is not None and not conversation.peer_address:
        conversation.peer_address = road.address
        conversation.save(update_fields=["peer_address", "updated_at"])
    if created:
        announce_conversation(conversation, created=True)
    elif conversation.status != ConversationStatus.OPEN:
        amend(actor, conversation, {"status": ConversationStatus.OPEN})
    return conversation, created


def _channel(actor: Caller, slug: str) -> Channel:
    """One that a message can begin on: a visitor of a web chat has no address while they are not there."""
    rows = Channel.objects.select_related("workspace").filter(workspace_id=actor.workspace_id, slug=slug.lower())
    channel = rows.first()
    if channel is None or not channel.is_active or not has_provider(channel.kind):
        raise Invalid(errors={"channel": "No channel that one can write on first."})
    return channel
