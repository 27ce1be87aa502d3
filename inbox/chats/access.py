"""What somebody from outside may see of conversations: those they take part in, whole workspaces apart."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from config.errors import NotFound
from crm.actors import Customer, Guest, Visitor
from crm.features import Feature, FeatureOff, is_on
from inbox.access import forget_stale, with_parties
from inbox.chats.payloads import SHOWN
from inbox.models import Attachment, Channel, Conversation, Message, Participant, ParticipantRole
from inbox.states import ChannelKind
from jobs.compiled import Compiled

_OF_USERS = (ParticipantRole.CUSTOMER, ParticipantRole.STUDENT)


def participants_of(guest: Guest) -> QuerySet[Participant]:
    if isinstance(guest, Visitor):
        return Participant.objects.filter(visitor_id=guest.visitor_id, role=ParticipantRole.VISITOR)
    return Participant.objects.filter(user_id=guest.user_id, role__in=_OF_USERS)


def visible_chats(guest: Guest) -> QuerySet[Conversation]:
    taking_part = participants_of(guest).filter(conversation=OuterRef("pk"))
    return Conversation.objects.filter(Exists(taking_part), deleted_at=None, merged_into=None)


def chat_for(guest: Guest, chat_id: UUID, *, for_update: bool = False) -> Conversation:
    """With its contact, channel, workspace, assignee and team. `for_update` locks the conversation's row alone."""
    who = guest.visitor_id if isinstance(guest, Visitor) else guest.user_id
    conversation = _ONE[isinstance(guest, Visitor), for_update].first(who, chat_id)
    if conversation is None:
        raise NotFound
    if for_update:
        forget_stale(conversation)
    return conversation


def _one(is_visitor: bool, for_update: bool) -> Compiled[Conversation]:
    def build(who: UUID, chat_id: UUID) -> QuerySet[Conversation]:
        guest = Visitor(who, who, who) if is_visitor else Customer(who)
        rows = with_parties(visible_chats(guest).filter(pk=chat_id))
        return rows.select_for_update(of=("self",), no_key=True) if for_update else rows

    return Compiled(build, UUID, UUID)


# Asked with every message: by whether it is a visitor, and whether it locks.
_ONE = {(visitor, locks): _one(visitor, locks) for visitor in (True, False) for locks in (True, False)}


def visible_messages(conversation: Conversation) -> QuerySet[Message]:
    """Nothing private, whoever asks."""
    return Message.objects.filter(conversation=conversation, direction__in=SHOWN, deleted_at=None)


def attachment_for(guest: Guest, chat_id: UUID, attachment_id: UUID) -> Attachment:
    conversation = chat_for(guest, chat_id)
    found = Attachment.objects.filter(pk=attachment_id, message__in=visible_messages(conversation)).first()
    if found is None:
        raise NotFound
    return found


def widget_for(slug: str, *, is_on_needed: bool = True) -> Channel:
    """The channel of a widget, with its workspace. FeatureOff where the workspace has switched web chat off."""
    found = (
        Channel.objects.select_related("workspace")
        .filter(slug=slug.lower(), kind=ChannelKind.WIDGET, is_active=True)
        .first()
    )
    if found is None:
        raise NotFound
    if is_on_needed:
        check_open(found)
    return found


def check_open(channel: Channel) -> None:
    """Reads workspace. What was written is there to be read all the same."""
    if not is_on(channel.workspace, Feature.WIDGET):
        raise FeatureOff("The chat is closed at the moment.", feature=Feature.WIDGET.value)
