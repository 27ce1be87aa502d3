"""Jobs of the inbox. Each takes ids and makes one service call."""

from uuid import UUID

from inbox.services import attachments, outbox
from jobs.errors import code_of, describe
from jobs.tasks import RunningJob, task


def _give_up(job: RunningJob, error: Exception) -> None:
    outbox.mark_failed(
        message_id=UUID(job.payload["message_id"]),
        attempt=job.payload["attempt"],
        code=code_of(error),
        reason=getattr(error, "message", "") or describe(error),
    )


@task("inbox.deliver_message", atomic=False, on_failed=_give_up)
def deliver_message(job: RunningJob, message_id: str, attempt: int) -> None:
    outbox.deliver(job=job, message_id=UUID(message_id), attempt=attempt)


@task("inbox.fetch_attachment", atomic=False)
def fetch_attachment(job: RunningJob, attachment_id: str, attempt: int) -> None:
    attachments.fetch(attachment_id=UUID(attachment_id), attempt=attempt)
