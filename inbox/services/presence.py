"""What customers see of us besides messages: that theirs were read, and that somebody is writing. Best effort."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from config.live.events import signal
from config.live.prepared import fetch
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Member
from crm.models import User
from crm.roles import Action
from inbox import topics
from inbox.access import conversation_for
from inbox.chats.events import is_chat, tell_conversation
from inbox.models import Channel, Conversation, Message
from inbox.senders import client_for
from inbox.states import ChannelKind, Direction
from jobs.compiled import Compiled
from jobs.errors import ProviderError
from jobs.models import Job
from jobs.queue import enqueue

# Asked whenever a member looks at a chat.
_SEEN_UP_TO = f"""
    update inbox_conversation c set team_seen_up_to = newest.id
    from (
        select id from inbox_message
        where conversation_id = %(conversation)s and direction = '{Direction.IN.value}' and deleted_at is null
        order by id desc limit 1
    ) newest
    where c.id = %(conversation)s and c.team_seen_up_to is distinct from newest.id
    returning 1
"""  # noqa: S608  # only a constant is put in
_TOLD = Compiled(
    lambda pk: (
        Conversation.objects.filter(pk=pk)
        .select_related("contact", "channel", "assignee", "last_message", "last_message__sender_user")
        .defer("channel__credentials", "contact__search", "last_message__detail", "last_message__search")
    ),
    UUID,
)
# WhatsApp shows it for 25 s; saying it more often only costs.
TYPING_EVERY = timedelta(seconds=20)
# What a provider shows for longer than this is no longer news.
STALE = timedelta(days=1)


def tell_read(conversation: Conversation) -> None:
    """A member has read to the end: the customer may see that. Inside a transaction; reads `channel`."""
    if is_chat(conversation):
        tell_reader(conversation)
        return
    if not _shows_reading(conversation.channel):
        return
    newest = _newest_inbound(conversation.pk)
    if newest is None or timezone.now() - newest.created_at > STALE:
        return
    enqueue(
        "inbox.mark_read_at_provider",
        key=f"read:{newest.pk}",
        lane="",
        workspace_id=conversation.workspace_id,
        payload={"message_id": str(newest.pk)},
    )


def tell_reader(conversation: Conversation) -> None:
    """On the customer's side of a chat; who of us it was stays ours."""
    if not conversation.channel.settings.get("send_read_receipts", True):
        return
    if not fetch(_SEEN_UP_TO, {"conversation": conversation.pk}):
        return
    told = _TOLD.first(conversation.pk)  # as it is now that its row is ours: who it is assigned to may have changed
    if told is not None:
        tell_conversation(told)


def mark_read(*, message_id: UUID) -> None:
    """Only for the newest: it covers those before, and a later one will cover this."""
    message = Message.objects.select_related("channel").get(pk=message_id)
    newest = _newest_inbound(message.conversation_id)
    if newest is None or newest.pk != message.pk or not _shows_reading(message.channel):
        return
    client_for(message.channel).mark_read(message.provider_id)


@unit_of_work
def tell_typing(*, actor: Member, conversation_id: UUID) -> None:
    """Colleagues see it at once; the customer does where the provider has it, at most every 20 seconds."""
    conversation = conversation_for(actor, conversation_id)
    check(actor, Action.REPLY)
    user = {"id": str(actor.user_id), "name": actor.name}
    signal(topics.conversation(conversation.pk), "typing", {"typing": True, "user": user})
    if is_chat(conversation):
        shown = {"id": None, "name": first_name_of(actor.user_id)}
        signal(topics.chat(conversation.pk), "typing", {"typing": True, "user": shown})
    if not _shows_reading(conversation.channel) or not conversation.window.open:
        return
    slot = int(timezone.now().timestamp() // TYPING_EVERY.total_seconds())
    key = f"typing:{conversation.pk}:"
    if Job.objects.filter(key=f"{key}{slot - 1}", created_at__gt=timezone.now() - TYPING_EVERY).exists():
        return
    enqueue(
        "inbox.show_typing",
        key=f"{key}{slot}",
        lane="",
        workspace_id=conversation.workspace_id,
        payload={"conversation_id": str(conversation.pk)},
    )


def first_name_of(user_id: UUID) -> str:
    user = User.objects.filter(pk=user_id).first()
    return user.first_name if user else ""


def show_typing(*, conversation_id: UUID) -> None:
    newest = _newest_inbound(conversation_id)
    if newest is None:
        return
    channel = Channel.objects.get(pk=newest.channel_id)
    try:
        client_for(channel).mark_read(newest.provider_id, typing=True)
    except ProviderError:
        return  # nobody waits for it, and nobody needs to hear that it was not shown


def _shows_reading(channel: Channel) -> bool:
    """Only WhatsApp through Kapso has it, and a workspace may keep it to itself."""
    wanted = bool(channel.settings.get("send_read_receipts", True))
    return channel.kind == ChannelKind.KAPSO and channel.is_active and wanted


def _newest_inbound(conversation_id: UUID) -> Message | None:
    rows = Message.objects.filter(conversation_id=conversation_id, direction=Direction.IN).exclude(provider_id="")
    return rows.only("id", "created_at", "provider_id", "channel_id", "conversation_id").order_by("-pk").first()
