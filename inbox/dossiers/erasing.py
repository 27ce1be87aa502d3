"""Deletes a contact's conversations for good. Of what a provider may send again only keyed hashes stay."""

from uuid import UUID

from django.db.models import Q

from config.errors import Conflict
from config.live.identity import publish_access_change
from crm.dossier import Erasing
from crm.erased import Traced, trace, trace_old
from inbox.chats.tokens import subject_of
from inbox.models import Attachment, Channel, Conversation, Message, MessageReceipt, OptOut, Visitor
from inbox.services.folding import announce_gone
from inbox.states import ConversationStatus, MessageStatus

BATCH = 1_000
UNDER_WAY = (MessageStatus.SENDING, MessageStatus.UNKNOWN)


class MessageUnderWay(Conflict):
    code = "message_under_way"
    message = "A message to this contact is on its way right now. Try again in a minute."


def check_nothing_under_way(erasing: Erasing) -> None:
    """A message that a provider may just have taken: its receipts and echoes would bring the person back."""
    rows = Message.objects.filter(conversation__contact_id__in=erasing.contact_ids, status__in=UNDER_WAY)
    if rows.exists():
        raise MessageUnderWay


def erase_conversations(erasing: Erasing) -> None:
    conversations = list(
        Conversation.objects.select_for_update(of=("self",))
        .filter(contact_id__in=erasing.contact_ids)
        .select_related("channel__workspace")
        .defer("channel__credentials")
        .order_by("pk")
    )
    check_nothing_under_way(erasing)
    ids = [conversation.pk for conversation in conversations]
    erasing.ids |= set(ids)
    for conversation in conversations:
        erasing.names.add(conversation.peer_address)
    trace_old(erasing.workspace_id, Traced.OLD_CONVERSATION, [one.supabase_id for one in conversations])
    _erase_messages(erasing, ids)
    for channel in {conversation.channel_id: conversation.channel for conversation in conversations}.values():
        _erase_opt_outs(erasing, channel)
    # One that was folded into another counts as open again in the moment its reference goes.
    Conversation.objects.filter(pk__in=ids).update(status=ConversationStatus.RESOLVED)
    _count(erasing, Conversation.objects.filter(pk__in=ids).delete()[1])
    for conversation in conversations:
        announce_gone(conversation)


def _erase_messages(erasing: Erasing, conversation_ids: list[UUID]) -> None:
    while True:
        rows = list(
            Message.objects.filter(conversation_id__in=conversation_ids)
            .order_by("pk")
            .values_list("pk", "channel_id", "provider_id", "supabase_id")[:BATCH]
        )
        if not rows:
            return
        ids = [pk for pk, _, _, _ in rows]
        erasing.ids |= set(ids)
        files = Attachment.objects.filter(message_id__in=ids).exclude(storage_name="")
        erasing.files += files.values_list("storage_name", flat=True)
        known = [(channel_id, provider_id) for _, channel_id, provider_id, _ in rows if provider_id]
        trace(
            erasing.workspace_id, Traced.MESSAGE, [f"{channel_id}:{provider_id}" for channel_id, provider_id in known]
        )
        trace_old(erasing.workspace_id, Traced.OLD_MESSAGE, [old for _, _, _, old in rows])
        for channel_id in {channel_id for channel_id, _ in known}:
            receipts = MessageReceipt.objects.filter(
                channel_id=channel_id, provider_id__in=[one for of, one in known if of == channel_id]
            )
            _count(erasing, receipts.delete()[1])
        _count(erasing, Message.objects.filter(pk__in=ids).delete()[1])


def _erase_opt_outs(erasing: Erasing, channel: Channel) -> None:
    """With the person goes that they had asked us to stop: the provider keeps to it by itself."""
    spelled = {spelling for name in erasing.names for spelling in _spellings(name)}
    _count(erasing, OptOut.objects.filter(Q(channel=channel), address__in=spelled).delete()[1])


def _spellings(name: str) -> set[str]:
    bare = name.rpartition(":")[2].lstrip("+")
    return {f"{prefix}{bare}" for prefix in ("", "+", "whatsapp:", "whatsapp:+")} if bare else set()


def erase_visitors(erasing: Erasing) -> None:
    rows = Visitor.objects.filter(contact_id__in=erasing.contact_ids)
    ids = set(rows.values_list("pk", flat=True))
    erasing.ids |= ids
    _count(erasing, rows.delete()[1])
    for visitor_id in sorted(ids):
        publish_access_change(subject_of(visitor_id))  # their sockets end


def _count(erasing: Erasing, counts: dict[str, int]) -> None:
    for label, count in counts.items():
        erasing.count(label.lower().replace(".", "_"), count)
