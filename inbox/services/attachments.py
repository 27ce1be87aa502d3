"""Files of messages: each is fetched from its provider by a job of its own, so that no text waits for one."""

from uuid import UUID

from inbox.models import Attachment
from jobs.errors import RetryLater
from jobs.queue import enqueue

FETCH = "inbox.fetch_attachment"


def enqueue_fetch(attachment: Attachment) -> None:
    """Once per attachment and attempt. Inside the transaction that makes the attachment."""
    enqueue(
        FETCH,
        key=f"media:{attachment.pk}:{attachment.fetch_attempt}",
        lane="",
        workspace_id=attachment.workspace_id,
        payload={"attachment_id": str(attachment.pk), "attempt": attachment.fetch_attempt},
    )


def fetch(*, attachment_id: UUID, attempt: int) -> None:
    raise RetryLater("files cannot be fetched yet", after=60)
