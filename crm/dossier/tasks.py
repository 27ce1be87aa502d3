"""Jobs about one contact's dossier: its archive, and what follows an erasure."""

from typing import Any
from uuid import UUID

from crm.services import erasure, exporting
from jobs.models import Job
from jobs.tasks import RunningJob, task


@task(exporting.EXPORT, max_attempts=4, atomic=False)
def export_contact(job: RunningJob, contact_id: str) -> None:
    exporting.make_archive(job=job, contact_id=UUID(contact_id))


@task(erasure.FORGET_EVENTS)
def forget_events(job: RunningJob, ids: list[str]) -> dict[str, Any]:
    began = Job.objects.values_list("created_at", flat=True).get(pk=job.id)
    workspace_id = job.workspace_id
    return {"events": erasure.forget_events(workspace_id=workspace_id, ids=ids, until=began) if workspace_id else 0}


@task(erasure.REMOVE_FILES, max_attempts=20, atomic=False)
def remove_files(job: RunningJob, names: list[str]) -> dict[str, Any]:
    return {"files": erasure.remove_files(names)}
