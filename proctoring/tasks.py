"""Jobs of proctoring. Each takes ids and makes one service call."""

from uuid import UUID

from jobs.errors import code_of
from jobs.tasks import RunningJob, task
from proctoring.services import archiving, pushing, reminders


@task("proctoring.push_summary", atomic=False)
def push_summary(job: RunningJob, summary_id: str) -> None:
    pushing.push(job=job, summary_id=UUID(summary_id))


@task("proctoring.archive_summary", atomic=False)
def archive_summary(job: RunningJob, summary_id: str) -> None:
    archiving.archive(job=job, summary_id=UUID(summary_id))


def _not_reminded(job: RunningJob, error: Exception) -> None:
    reminders.give_up(reminder_id=UUID(job.payload["reminder"]), code=code_of(error))


@task(reminders.TASK, max_attempts=6, atomic=False, on_failed=_not_reminded)
def send_reminder(job: RunningJob, reminder: str) -> dict[str, str]:
    return reminders.send(job=job, reminder_id=UUID(reminder))
