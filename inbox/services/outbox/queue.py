"""The job that sends a message."""

from inbox.models import Conversation, Message
from jobs.queue import enqueue
from jobs.services.jobs import supersede_job


def enqueue_delivery(conversation: Conversation, message: Message) -> None:
    """One job per message and attempt, in the lane of its person and channel."""
    enqueue(
        "inbox.deliver_message",
        key=_key(message, message.send_attempt),
        lane=conversation.lane,
        workspace_id=message.workspace_id,
        payload={"message_id": str(message.pk), "attempt": message.send_attempt},
    )
    if message.send_attempt:  # the job that failed before needs nobody any more
        supersede_job(key=_key(message, message.send_attempt - 1), by=_key(message, message.send_attempt))


def _key(message: Message, attempt: int) -> str:
    return f"send:{message.pk}:{attempt}"
