"""Jobs of proctoring. Each takes ids and makes one service call."""

from uuid import UUID

from jobs.tasks import RunningJob, task
from proctoring.services import pushing


@task("proctoring.push_summary", atomic=False)
def push_summary(job: RunningJob, summary_id: str) -> None:
    pushing.push(job=job, summary_id=UUID(summary_id))
