"""What a provider's refusal says about a person: one who opted out is not written to again."""

from django.utils import timezone

from inbox.models import Channel, Message
from inbox.opt_outs import sender_to
from inbox.services.opt_outs import record_wish
from inbox.services.outbox.marks import Plan

OPTED_OUT = frozenset({"21610"})


def record_opt_out(plan: Plan) -> None:
    """The provider knows of a STOP that never reached us."""
    message = Message.objects.select_related("conversation").get(pk=plan.message_id)
    channel = Channel.objects.defer("credentials").get(pk=plan.channel_id)
    address = message.conversation.peer_address
    record_wish(
        channel=channel,
        sender=sender_to(channel, address),
        address=address,
        wish="STOP",
        keyword="",
        at=timezone.now(),
    )
