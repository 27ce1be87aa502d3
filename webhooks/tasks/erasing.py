"""Blanks the journal after a contact was erased."""

from typing import Any

from jobs.tasks import RunningJob, task
from webhooks.dossier import BLANK
from webhooks.services import blanking


@task(BLANK, max_attempts=20, atomic=False)
def blank_journal(job: RunningJob, sealed: str = "") -> dict[str, Any]:
    return blanking.blank_journal(job, sealed=sealed) if sealed else {}
