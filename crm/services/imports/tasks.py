"""The job of an import, and the clearing away of files that nobody needs any more."""

from datetime import timedelta
from uuid import UUID

from crm.services.imports import clearing, running
from crm.services.imports.moves import TASK
from jobs.crons import cron
from jobs.tasks import RunningJob, task


def _gave_up(job: RunningJob, error: Exception) -> None:
    running.fail_import(UUID(job.payload["import_id"]), "Something went wrong on our side. Start it again.")


@task(TASK, atomic=False, on_failed=_gave_up)
def import_contacts(job: RunningJob, import_id: str, state: str) -> None:
    running.run_slice(job=job, import_id=UUID(import_id), state=state)


@cron("crm.clear_imports", every=timedelta(hours=1))
def clear_imports() -> dict[str, int]:
    return {"files": clearing.clear_files()}
