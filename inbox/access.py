"""What an actor may see and do with conversations. The only place that decides, for HTTP, socket and jobs alike."""

from collections.abc import Callable
from uuid import UUID

from django.db.models import QuerySet

from config.errors import NotFound
from crm.actors import Actor, Member
from crm.roles import Action
from inbox.models import Attachment, Conversation, Message
from inbox.senders import can_send
from inbox.states import RETRYABLE, ConversationStatus, MessageStatus, Scope
from jobs.compiled import Compiled


def visible_conversations(actor: Actor) -> QuerySet[Conversation]:
    """Support conversations of the actor's workspace. Exam rooms are for that exam's tutors alone."""
    if not actor.may(Action.READ_INBOX):
        return Conversation.objects.none()
    return conversations_of(actor.workspace_id)


def conversations_of(workspace_id: UUID) -> QuerySet[Conversation]:
    """For who may read its inbox, which is asked before."""
    return Conversation.objects.filter(
        workspace_id=workspace_id, scope=Scope.SUPPORT, deleted_at=None, merged_into=None
    )


def conversation_for(actor: Actor, conversation_id: UUID, *, for_update: bool = False) -> Conversation:
    """With its contact, channel and assignee. `for_update` locks the conversation's row alone."""
    if not actor.may(Action.READ_INBOX):
        raise NotFound
    conversation = (_LOCKED if for_update else _ONE).first(actor.workspace_id, conversation_id)
    if conversation is None:
        raise NotFound
    if for_update:
        forget_stale(conversation)
    return conversation


def with_parties(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Whose it is, and where: all that announcing one reads besides its last message. No secrets."""
    rows = rows.select_related("contact", "channel", "channel__workspace", "assignee", "team")
    return rows.defer("channel__credentials", "contact__search")


# Asked with every message.
_ONE = Compiled(lambda workspace, pk: with_parties(conversations_of(workspace).filter(pk=pk)), UUID, UUID)
_LOCKED = Compiled(
    lambda workspace, pk: with_parties(conversations_of(workspace).filter(pk=pk)).select_for_update(
        of=("self",), no_key=True
    ),
    UUID,
    UUID,
)


def forget_stale(conversation: Conversation) -> None:
    """Whoever had to wait for the lock gets the row as it is now, but what was joined to it as it was before."""
    for name in ("contact", "channel", "assignee", "team"):
        joined = conversation._state.fields_cache.get(name)
        if getattr(joined, "pk", None) != getattr(conversation, f"{name}_id"):
            conversation._state.fields_cache.pop(name, None)


def visible_messages(actor: Actor, conversation: Conversation) -> QuerySet[Message]:
    """All of a conversation that the actor can see; for members that includes private notes."""
    return messages_of(conversation)


def messages_of(conversation: Conversation | UUID) -> QuerySet[Message]:
    return Message.objects.filter(conversation=conversation, deleted_at=None)


def message_for(actor: Actor, conversation: Conversation, message_id: UUID, *, for_update: bool = False) -> Message:
    rows = visible_messages(actor, conversation)
    if for_update:
        rows = rows.select_for_update(of=("self",), no_key=True)
    message = rows.filter(pk=message_id).first()
    if message is None:
        raise NotFound
    return message


def attachment_for(actor: Actor, attachment_id: UUID, *, for_update: bool = False) -> Attachment:
    """A file of a message the actor can see, or the actor's own upload that nothing has been sent with yet."""
    rows = Attachment.objects.select_related("message").filter(pk=attachment_id, workspace_id=actor.workspace_id)
    if for_update:
        rows = rows.select_for_update(of=("self",), no_key=True)
    attachment = rows.first()
    if attachment is None or not _may_see(actor, attachment):
        raise NotFound
    return attachment


def _may_see(actor: Actor, attachment: Attachment) -> bool:
    message = attachment.message
    if message is None:
        return isinstance(actor, Member) and attachment.uploaded_by_id == actor.user_id
    seen = visible_conversations(actor).filter(pk=message.conversation_id)
    return message.deleted_at is None and seen.exists()


def allowed_actions(actor: Actor, conversation: Conversation) -> list[str]:
    """What this actor can do with this conversation right now: what pages show and assistants are told."""
    return actions_on(actor.may, conversation.channel.kind, conversation.status, window_open=conversation.window.open)


def actions_on(may: Callable[[Action], bool], channel_kind: str, status: str, *, window_open: bool) -> list[str]:
    """The same where the conversation was not read as a row of its own."""
    allowed = []
    if may(Action.REPLY) and can_send(channel_kind):
        allowed.append("reply" if window_open else "send_template")
    if may(Action.NOTE):
        allowed.append("note")
    if may(Action.ASSIGN):
        allowed.append("assign")
    if may(Action.RESOLVE):
        allowed.append("reopen" if status == ConversationStatus.RESOLVED else "resolve")
    return allowed


def is_retryable(message: Message) -> bool:
    return MessageStatus(message.status) in RETRYABLE
