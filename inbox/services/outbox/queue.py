"""The job that sends a message."""

from inbox.models import Conversation, Message
from jobs.queue import enqueue


def enqueue_delivery(conversation: Conversation, message: Message) -> None:
    """One job per message and attempt, in the lane of its person and channel."""
    enqueue(
        "inbox.deliver_message",
        key=f"send:{message.pk}:{message.send_attempt}",
        lane=conversation.lane,
        workspace_id=message.workspace_id,
        payload={"message_id": str(message.pk), "attempt": message.send_attempt},
    )
