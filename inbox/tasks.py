"""Jobs of the inbox. Each takes ids and makes one service call."""

from uuid import UUID

from inbox.notices import mailing as notice_mails
from inbox.notices import pushing
from inbox.services import (
    archiving,
    assigning,
    fetching,
    leaving,
    outbox,
    planning,
    presence,
    rules,
    sharing_out,
    snoozing,
    templates,
    triggers,
)
from inbox.services.chats import ending, mailing
from jobs.errors import code_of, describe
from jobs.payloads import JSON
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


def _leave_unfetched(job: RunningJob, error: Exception) -> None:
    fetching.mark_failed(
        attachment_id=UUID(job.payload["attachment_id"]),
        attempt=job.payload["attempt"],
        code=code_of(error),
        reason=getattr(error, "message", ""),
    )


# About a minute of tries; after that a person decides.
@task("inbox.fetch_attachment", atomic=False, max_attempts=6, on_failed=_leave_unfetched)
def fetch_attachment(job: RunningJob, attachment_id: str, attempt: int) -> None:
    fetching.fetch(job=job, attachment_id=UUID(attachment_id), attempt=attempt)


@task("inbox.mark_read_at_provider", atomic=False, max_attempts=3)
def mark_read_at_provider(job: RunningJob, message_id: str) -> None:
    presence.mark_read(message_id=UUID(message_id))


@task("inbox.show_typing", atomic=False, max_attempts=1)
def show_typing(job: RunningJob, conversation_id: str) -> None:
    presence.show_typing(conversation_id=UUID(conversation_id))


@task("inbox.sync_templates", atomic=False, max_attempts=5)
def sync_templates(job: RunningJob, channel_id: str) -> None:
    templates.sync(job=job, channel_id=UUID(channel_id))


@task("inbox.archive_conversation", atomic=False)
def archive_conversation(job: RunningJob, conversation_id: str) -> None:
    archiving.archive(job=job, conversation_id=UUID(conversation_id))


@task(ending.MAIL_TASK, atomic=False, max_attempts=6)
def mail_transcript(job: RunningJob, conversation_id: str, visitor_id: str, user_id: str) -> dict[str, str]:
    return mailing.mail_transcript(
        conversation_id=UUID(conversation_id),
        visitor_id=UUID(visitor_id) if visitor_id else None,
        user_id=UUID(user_id) if user_id else None,
    )


@task(mailing.UNREAD_TASK, atomic=False, max_attempts=6)
def mail_unread(job: RunningJob, conversation_id: str, first: str, slot: int | None = None) -> dict[str, str]:
    return mailing.mail_unread(conversation_id=UUID(conversation_id), first=UUID(first), slot=slot)


@task(snoozing.WAKE)
def wake(job: RunningJob, conversation_id: str) -> bool:
    return snoozing.wake(conversation_id=UUID(conversation_id))


@task(planning.SEND)
def send_planned(job: RunningJob, planned_id: str) -> bool:
    return planning.send_planned(planned_id=UUID(planned_id))


@task(assigning.SHARE_OUT)
def share_out(job: RunningJob, conversation_id: str) -> str | None:
    return sharing_out.share_out(conversation_id=UUID(conversation_id))


@task(leaving.HAND_BACK)
def hand_back_of_gone(job: RunningJob, workspace_id: str, user_id: str) -> int:
    return leaving.hand_back_of(workspace_id=UUID(workspace_id), user_id=UUID(user_id))


@task(notice_mails.TASK, atomic=False, max_attempts=6)
def mail_notices(job: RunningJob, workspace_id: str, user_id: str) -> dict[str, JSON]:
    return notice_mails.mail_notices(workspace_id=UUID(workspace_id), user_id=UUID(user_id))


@task(pushing.TASK, atomic=False, max_attempts=5)
def push_notice(job: RunningJob, notice_id: str, subscription_id: int) -> dict[str, JSON]:
    return pushing.push_notice(notice_id=UUID(notice_id), subscription_id=subscription_id)


@task(triggers.APPLY)
def apply_rules(job: RunningJob, conversation_id: str, message_id: str | None, events: list[str]) -> dict[str, JSON]:
    return rules.apply_rules(
        conversation_id=UUID(conversation_id),
        message_id=UUID(message_id) if message_id else None,
        events=events,
        cause=str(job.id),
    )
