"""The job of an import: reads on from where the last batch ended, a slice of time at once, and leaves the rest to a
job of its own. Each batch commits with how far it is, so that a worker that dies repeats nothing.
"""

import time
from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from django.utils import timezone

from config.live.unit import unit_of_work
from crm import storage
from crm.models import ContactImport, ContactImportProblem, ImportState, Workspace
from crm.services.imports.errors import Unreadable
from crm.services.imports.events import announce_import
from crm.services.imports.fields import Reader
from crm.services.imports.growth import count_anew
from crm.services.imports.moves import enqueue_slice
from crm.services.imports.reading import Row, rows_of
from crm.services.imports.uploading import AT_WORK
from crm.services.imports.writing import Outcome, write_rows
from jobs.errors import LeaseLost
from jobs.running import RunningJob

BATCH = 500
SLICE_SECONDS = 60.0
TELL_SECONDS = 0.5
MOST_PROBLEMS = 100_000  # kept to be looked at; all are counted
NOT_KEPT = "The file is no longer kept. Upload it again."
Numbered = tuple[int, Row]


def run_slice(*, job: RunningJob, import_id: UUID, state: str) -> None:
    """May run twice: the second run finds the batches written and goes on behind them."""
    row = ContactImport.objects.filter(pk=import_id, state=state).first()
    if row is None:
        return  # cancelled, or removed
    if not row.storage_name:
        give_up(import_id, NOT_KEPT, job)
        return
    try:
        with storage.open_file(row.storage_name) as file:
            rows = rows_of(file, row.encoding, str(row.dialect["delimiter"]), after=row.done_rows)
            is_over = _run(row, rows)
    except Unreadable as error:
        give_up(import_id, str(error), job)
        return
    except FileNotFoundError:
        give_up(import_id, NOT_KEPT, job)
        return
    with job.completing():
        _end(import_id, state) if is_over else _go_on(import_id, state)


def _run(row: ContactImport, rows: Iterator[Numbered]) -> bool:
    """Whether the file is at its end. Stops early when the time of the slice is up or somebody cancelled."""
    workspace = Workspace.objects.get(pk=row.workspace_id)
    reader = Reader.of(
        workspace_id=workspace.pk, region=workspace.default_region, columns=row.columns, mapping=row.mapping
    )
    until, told_at = time.monotonic() + SLICE_SECONDS, 0.0
    done = row.done_rows
    while batch := list(islice(rows, BATCH)):
        tells = time.monotonic() - told_at >= TELL_SECONDS
        if not write_batch(row.pk, row.state, workspace, reader, batch, done=done, tells=tells):
            return False
        done = batch[-1][0]
        told_at = time.monotonic() if tells else told_at
        if row.state == ImportState.RUNNING:
            count_anew()
        if time.monotonic() > until:
            return False
    return True


@unit_of_work
def write_batch(
    import_id: UUID,
    state: str,
    workspace: Workspace,
    reader: Reader,
    batch: list[Numbered],
    *,
    done: int,
    tells: bool,
) -> bool:
    """The contacts and how far it is, in one transaction. False when somebody cancelled."""
    row = ContactImport.objects.select_for_update(no_key=True).filter(pk=import_id, state=state).first()
    if row is None:
        return False
    if row.done_rows != done:
        raise LeaseLost(f"import {import_id} is being written by another worker")
    is_dry = state == ImportState.CHECKING
    known = str(row.options.get("known", "skip"))
    outcome = write_rows(workspace, reader, batch, of=row, known=known, is_dry=is_dry)
    _note_problems(row, outcome)
    row.done_rows = batch[-1][0]
    row.created_rows += outcome.created
    row.updated_rows += outcome.updated
    row.skipped_rows += outcome.skipped
    row.refused_rows += outcome.refused
    row.total_rows = max(row.total_rows or 0, row.done_rows) if row.total_rows else row.total_rows
    row.save()
    if tells:
        announce_import(row)
    return True


def _note_problems(row: ContactImport, outcome: Outcome) -> None:
    room = MOST_PROBLEMS - row.refused_rows
    problems = [
        ContactImportProblem(
            workspace_id=row.workspace_id,
            contact_import=row,
            row=number,
            column=column[:120],
            code=code,
            message=message[:300],
        )
        for number, column, code, message in outcome.problems[: max(0, room)]
    ]
    ContactImportProblem.objects.bulk_create(problems, ignore_conflicts=True)


def _end(import_id: UUID, state: str) -> None:
    row = ContactImport.objects.select_for_update(no_key=True).filter(pk=import_id, state=state).first()
    if row is None:
        return
    row.state = ImportState.CHECKED if state == ImportState.CHECKING else ImportState.COMPLETED
    row.total_rows = row.done_rows
    row.finished_at = timezone.now() if row.state == ImportState.COMPLETED else None
    row.save()
    announce_import(row)


def _go_on(import_id: UUID, state: str) -> None:
    row = ContactImport.objects.select_for_update(no_key=True).filter(pk=import_id, state=state).first()
    if row is not None:
        announce_import(row)
        enqueue_slice(row)


def give_up(import_id: UUID, reason: str, job: RunningJob | None = None) -> None:
    if job is not None:
        with job.completing(result={"failed": True}):
            fail_import(import_id, reason)
    else:
        fail_import(import_id, reason)


@unit_of_work
def fail_import(import_id: UUID, reason: str) -> None:
    row = ContactImport.objects.select_for_update(no_key=True).filter(pk=import_id, state__in=AT_WORK).first()
    if row is not None:
        row.state, row.error, row.finished_at = ImportState.FAILED, reason[:300], timezone.now()
        row.save()
        announce_import(row)
