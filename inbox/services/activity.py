"""Lines in the thread that tell what was done with a conversation. For the team alone: customers never see them."""

from collections.abc import Mapping
from typing import Any

from config.errors import Said
from config.live.events import publish
from crm.actors import Actor, ApiKey, Automation, Member
from crm.models import User
from inbox import topics
from inbox.activity_words import payload_of
from inbox.events import MessageCreated
from inbox.models import Conversation, Message
from inbox.payloads import message_payload
from inbox.states import Direction, MessageStatus, SenderKind

ACTIVITY = "activity"
_KINDS = {Member: SenderKind.MEMBER, ApiKey: SenderKind.BOT, Automation: SenderKind.BOT}


def add_line(actor: Actor, conversation: Conversation, kind: str, body: str, detail: Mapping[str, Any]) -> Message:
    """Inside the unit of work of the change; `kind` and `detail` say it to programs, `body` in plain English, and as
    `Said` of a sentence of `activity_words` in the language of whoever reads."""
    said = {"said": payload_of(body)} if isinstance(body, Said) else {}
    user_id = actor.user_id if isinstance(actor, Member) else None
    bot = {"bot": {"id": str(actor.key_id), "name": actor.name}} if isinstance(actor, ApiKey) else {}
    line = Message.objects.create(
        workspace_id=conversation.workspace_id,
        conversation=conversation,
        channel_id=conversation.channel_id,
        direction=Direction.ACTIVITY,
        sender_kind=_KINDS.get(type(actor), SenderKind.SYSTEM),
        sender_user_id=user_id,
        type=kind,
        body=body,
        detail={ACTIVITY: {**detail, **said}, **bot},
        status=MessageStatus.RECEIVED,
    )
    if isinstance(actor, Member):
        line.sender_user = User(pk=user_id, name=actor.name)  # as it was read with the request: no query for a name
    line.known_files([])
    publish(topics.conversation(conversation.pk), MessageCreated(message_payload(line, "")))
    return line
