"""The inbox's live topics: their names, and who may listen."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from config.live.identity import Identity
from config.live.presence import Who
from config.live.topics import register
from crm import features
from crm.access import listener, listener_of, member_of
from crm.features import Feature
from crm.presence import shown_as
from crm.roles import Action
from inbox.access import visible_conversations
from inbox.models import Conversation


def inbox(workspace_slug: str) -> str:
    return f"inbox.{workspace_slug}"


def conversation(conversation_id: UUID) -> str:
    """For agents: private notes included."""
    return f"conversation.{conversation_id}"


def chat(conversation_id: UUID) -> str:
    """The same conversation for its customer, student or visitor: nothing that is only ours."""
    return f"chat.{conversation_id}"


def user(user_id: UUID) -> str:
    return f"user.{user_id}"


def _may_hear_inbox(identity: Identity | None, slug: str) -> bool:
    actor = listener(identity, slug)
    return actor is not None and actor.may(Action.READ_INBOX) and _is_open(actor.workspace_id)


def _is_open(workspace_id: UUID) -> bool:
    """For those who may read it: they are told when it is switched off."""
    features.check(workspace_id, Feature.INBOX)
    return True


def _may_hear_conversation(identity: Identity | None, key: str) -> bool:
    try:
        conversation_id = UUID(key)
    except ValueError:
        return False
    workspace_id = Conversation.objects.filter(pk=conversation_id).values_list("workspace_id", flat=True).first()
    if workspace_id is None or key != str(conversation_id):
        return False
    actor = listener_of(identity, workspace_id)
    is_theirs = actor is not None and visible_conversations(actor).filter(pk=conversation_id).exists()
    return is_theirs and _is_open(workspace_id)


def _shown_in_conversation(identity: Identity, key: str) -> Who | None:
    """Those who look at it, and whether they have begun to write."""
    workspace_id = Conversation.objects.filter(pk=UUID(key)).values_list("workspace_id", flat=True).first()
    if workspace_id is None or identity.user_id is None:
        return None
    return shown_as(member_of(identity.user_id, workspace_id))


def _to_customer(identity: Identity, key: str, type_: str, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Who takes part from outside sees that one of us writes: by the first name, and nothing else of the data."""
    name = str(getattr(identity, "first_name", ""))
    return f"chat.{key}", {"typing": bool(data.get("typing")), "user": {"id": None, "name": name}}


def register_topics() -> None:
    register("inbox", _may_hear_inbox)
    register("conversation", _may_hear_conversation, signals=("typing",), relay=_to_customer)
    register("presence.conversation", _may_hear_conversation, presence=_shown_in_conversation)
