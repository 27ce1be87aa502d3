"""The inbox's live topics: their names, and who may listen."""

from uuid import UUID

from config.errors import NotFound
from config.live.identity import Identity
from config.live.topics import register
from crm.access import member_for, member_of
from crm.roles import Action
from inbox.access import visible_conversations
from inbox.models import Conversation


def inbox(workspace_slug: str) -> str:
    return f"inbox.{workspace_slug}"


def conversation(conversation_id: UUID) -> str:
    """For agents: private notes included."""
    return f"conversation.{conversation_id}"


def user(user_id: UUID) -> str:
    return f"user.{user_id}"


def _may_hear_inbox(identity: Identity | None, slug: str) -> bool:
    if identity is None or identity.user_id is None:
        return False
    try:
        return member_for(identity.user_id, slug).may(Action.READ_INBOX) and slug == slug.lower()
    except NotFound:
        return False


def _may_hear_conversation(identity: Identity | None, key: str) -> bool:
    if identity is None or identity.user_id is None:
        return False
    try:
        conversation_id = UUID(key)
    except ValueError:
        return False
    workspace_id = Conversation.objects.filter(pk=conversation_id).values_list("workspace_id", flat=True).first()
    if workspace_id is None or key != str(conversation_id):
        return False
    try:
        actor = member_of(identity.user_id, workspace_id)
    except NotFound:
        return False
    return visible_conversations(actor).filter(pk=conversation_id).exists()


def register_topics() -> None:
    register("inbox", _may_hear_inbox)
    register("conversation", _may_hear_conversation, signals=("typing",))
