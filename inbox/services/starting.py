"""We write first: to a contact, on a channel that reaches them, in the conversation that is open there or a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from config.errors import Invalid
from config.live.unit import unit_of_work
from crm.access import check, contact_for
from crm.actors import Caller, Member, System
from crm.models import Contact
from crm.roles import Action
from inbox.access import conversation_for
from inbox.events import announce_conversation
from inbox.models import Channel, Conversation, Message
from inbox.senders import can_send
from inbox.services.amending import Wanted, amend
from inbox.services.composing import TemplateChoice
from inbox.services.inbound import conversation_with
from inbox.services.messages import send_message
from inbox.states import ChannelKind, ConversationStatus, Scope
from inbox.windows import WHATSAPP, is_whatsapp, window_for

SMS_VIA, WHATSAPP_VIA = "sms", "whatsapp"


@dataclass(frozen=True, slots=True)
class Road:
    """A way to reach a contact: a channel, how, and the conversation that would go on there."""

    channel: Channel
    via: str
    address: str
    conversation: Conversation | None

    @property
    def window_open(self) -> bool:
        last = self.conversation.last_inbound_at if self.conversation else None
        return window_for(self.channel.kind, self.address, last).open

    @property
    def is_open(self) -> bool:
        return self.conversation is not None and self.conversation.status != ConversationStatus.RESOLVED


def roads_to(actor: Caller, contact_id: UUID) -> list[Road]:
    """Those that go on where the customer wrote last come first."""
    contact = contact_for(actor, contact_id)
    check(actor, Action.REPLY)
    channels = Channel.objects.select_related("workspace").filter(workspace_id=actor.workspace_id, is_active=True)
    rows = Conversation.objects.filter(
        contact=contact, scope=Scope.SUPPORT, deleted_at=None, merged_into=None, channel__in=channels
    )
    latest: dict[UUID, Conversation] = {}
    for row in rows.order_by("last_activity_at"):
        known = latest.get(row.channel_id)
        if known is None or known.status == ConversationStatus.RESOLVED or row.status != ConversationStatus.RESOLVED:
            latest[row.channel_id] = row
    roads = [
        Road(channel, via, address, latest.get(channel.pk))
        for channel in channels.order_by("name", "pk")
        if can_send(channel.kind)
        for via, address in _addresses(contact, channel, latest.get(channel.pk))
    ]
    return sorted(roads, key=lambda road: (not road.is_open, road.conversation is None))


def _addresses(contact: Contact, channel: Channel, known: Conversation | None) -> list[tuple[str, str]]:
    """Where they wrote from last, before what is known of their number. Nobody is found in a web chat by themselves."""
    if known is not None and known.peer_address:
        return [(_via(channel, known.peer_address), known.peer_address)]
    if channel.kind == ChannelKind.WIDGET:
        return [("", "")] if known is not None else []
    identities = dict(contact.identities.filter(kind__in=["whatsapp", "phone"]).values_list("kind", "value"))
    number = contact.phone_normalized or identities.get("phone", "")
    digits = identities.get("whatsapp", "") or number.lstrip("+")
    if not number.startswith("+") and not digits.isdigit():
        return []
    if channel.kind == ChannelKind.KAPSO:
        return [(WHATSAPP_VIA, digits)]
    number = number or f"+{digits}"
    return [(SMS_VIA, number), (WHATSAPP_VIA, f"{WHATSAPP}{number}")]


def _via(channel: Channel, address: str) -> str:
    if channel.kind == ChannelKind.WIDGET:
        return ""
    return WHATSAPP_VIA if is_whatsapp(channel.kind, address) else SMS_VIA


@unit_of_work
def start_conversation(
    *,
    actor: Caller,
    contact_id: UUID,
    channel: str,
    client_id: UUID,
    via: str = "",
    body: str = "",
    attachments: Sequence[UUID] = (),
    template: TemplateChoice | None = None,
) -> tuple[Message, bool]:
    """The message, and whether this call made it. Outside of WhatsApp's window only a template goes: WindowClosed, and
    nothing is left behind. A new conversation is whose who began it."""
    check(actor, Action.REPLY)
    known = Message.objects.filter(workspace_id=actor.workspace_id, client_id=client_id).first()
    if known is None:
        conversation_id = _open(actor, road_for(actor, contact_id, channel, via), contact_id)
    else:
        conversation_id = known.conversation_id
    return send_message(
        actor=actor,
        conversation_id=conversation_id,
        client_id=client_id,
        body=body,
        type="template" if template else "text",
        attachments=attachments,
        template=template,
    )


def road_for(actor: Caller, contact_id: UUID, channel: str, via: str) -> Road:
    """The best one on this channel, or that of this way; Invalid where there is none."""
    for road in roads_to(actor, contact_id):
        if road.channel.slug == channel.lower() and via in {"", road.via}:
            return road
    raise Invalid(errors={"channel": "This channel does not reach them."})


def _open(actor: Caller, road: Road, contact_id: UUID) -> UUID:
    conversation, opened = conversation_with(road.channel, contact_for(actor, contact_id))
    if not conversation.peer_address:
        conversation.peer_address = road.address
        conversation.save(update_fields=["peer_address", "updated_at"])
    if opened:
        announce_conversation(conversation, created=True)
    wanted: Wanted = {}
    if opened and isinstance(actor, Member):
        wanted["assignee_id"] = actor.user_id
    if conversation.status != ConversationStatus.OPEN:
        wanted["status"] = ConversationStatus.OPEN
    if wanted:
        # Answering is all it takes: what opens with it is no matter of further rights.
        able = all(actor.may(action) for action in (Action.ASSIGN, Action.RESOLVE))
        who = actor if able else System(actor.workspace_id, "started")
        amend(who, conversation_for(who, conversation.pk, for_update=True), wanted)
    return conversation.pk
