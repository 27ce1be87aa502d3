"""From one state of an import to the next: mapped, tried out, run, cancelled."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from config.errors import Invalid
from config.live.unit import unit_of_work
from crm import storage
from crm.actors import Actor
from crm.ids import uuid7
from crm.models import AttributeDefinition, ContactImport, ContactImportProblem, ImportState
from crm.services import audit
from crm.services.imports import reading
from crm.services.imports.errors import Unreadable, WrongState
from crm.services.imports.events import announce_import
from crm.services.imports.fields import problems_of
from crm.services.imports.uploading import AT_WORK, import_for
from jobs.queue import enqueue

TASK = "crm.import_contacts"
KNOWN = ("skip", "update")
_READY = (ImportState.UPLOADED, ImportState.CHECKED)
_CAN_CHECK = (*_READY, ImportState.FAILED)


def change_import(
    *,
    actor: Actor,
    import_id: UUID,
    mapping: dict[str, str] | None = None,
    known: str = "",
    encoding: str = "",
    delimiter: str = "",
) -> ContactImport:
    """Not a unit of work: with other letters or another delimiter the file's header is read anew."""
    columns = None
    if encoding or delimiter:
        columns = _header(import_for(actor, import_id), encoding, delimiter)
    return _change(actor, import_id, mapping, known, encoding, delimiter, columns)


def _header(row: ContactImport, encoding: str, delimiter: str) -> list[str]:
    if encoding and not reading.is_known_encoding(encoding):
        raise Invalid(errors={"encoding": "There is no such encoding here."})
    if not row.storage_name:
        raise WrongState("The file is no longer kept. Upload it again.", state=row.state)
    try:
        with storage.open_file(row.storage_name) as file:
            sign = delimiter or str(row.dialect["delimiter"])
            return reading.header_of(file, encoding or row.encoding, sign)
    except Unreadable as error:
        raise Invalid(errors={"encoding" if encoding else "delimiter": str(error)}) from None
    except FileNotFoundError:
        raise WrongState("The file is no longer kept. Upload it again.", state=row.state) from None


@unit_of_work
def _change(
    actor: Actor,
    import_id: UUID,
    mapping: dict[str, str] | None,
    known: str,
    encoding: str,
    delimiter: str,
    columns: list[str] | None,
) -> ContactImport:
    row = import_for(actor, import_id, for_update=True)
    if row.state not in _CAN_CHECK:
        raise WrongState(state=row.state)
    row.encoding = encoding or row.encoding
    row.dialect = {"delimiter": delimiter} if delimiter else row.dialect
    if columns is not None and columns != row.columns:
        row.columns = columns
        row.mapping = {name: target for name, target in row.mapping.items() if name in columns}
    if mapping is not None:
        _check_mapping(actor, mapping, row.columns)
        row.mapping = {name: target for name, target in mapping.items() if target}
    row.options = {**row.options, **({"known": known} if known else {})}
    row.state, row.error = ImportState.UPLOADED, ""
    row.save()
    announce_import(row)
    return row


def _check_mapping(actor: Actor, mapping: dict[str, str], columns: list[str]) -> None:
    definitions = AttributeDefinition.objects.filter(workspace_id=actor.workspace_id, archived_at=None)
    keys = set(definitions.values_list("key", flat=True))
    wrong = problems_of({name: target for name, target in mapping.items() if target}, columns, keys)
    if wrong:
        raise Invalid(errors={"mapping": wrong})


@unit_of_work
def start_check(*, actor: Actor, import_id: UUID) -> ContactImport:
    """The dry run: reads every row as the import would, and writes nothing but what is wrong."""
    return _start(actor, import_id, ImportState.CHECKING, _CAN_CHECK)


@unit_of_work
def start_run(*, actor: Actor, import_id: UUID) -> ContactImport:
    row = _start(actor, import_id, ImportState.RUNNING, _READY)
    audit.record(actor=actor, action="import.started", target_kind="import", target_id=row.pk)
    return row


def _start(actor: Actor, import_id: UUID, state: ImportState, allowed: tuple[ImportState, ...]) -> ContactImport:
    row = import_for(actor, import_id, for_update=True)
    if row.state not in allowed:
        raise WrongState(state=row.state)
    if not {"name", "first_name", "last_name", "phone", "email"} & set(row.mapping.values()):
        raise Invalid(errors={"mapping": "Say which column is the name, the number or the e-mail address."})
    ContactImportProblem.objects.filter(contact_import=row).delete()
    zero = dict.fromkeys(("done_rows", "created_rows", "updated_rows", "skipped_rows", "refused_rows"), 0)
    for name, value in zero.items():
        setattr(row, name, value)
    row.state, row.error, row.finished_at = state, "", None
    row.save()
    enqueue_slice(row)
    announce_import(row)
    return row


def enqueue_slice(row: ContactImport) -> None:
    """One import of a workspace at a time. The state's move is made once, and with it the job."""
    payload: dict[str, Any] = {"import_id": str(row.pk), "state": row.state}
    enqueue(
        TASK,
        key=f"{TASK}:{row.pk}:{uuid7()}",
        lane=f"import:{row.workspace_id}",
        workspace_id=row.workspace_id,
        payload=payload,
    )


@unit_of_work
def cancel_import(*, actor: Actor, import_id: UUID) -> ContactImport:
    """Between two batches: what is written stays, and nothing more is."""
    row = import_for(actor, import_id, for_update=True)
    if row.state not in AT_WORK:
        raise WrongState(state=row.state)
    was_running = row.state == ImportState.RUNNING
    row.state = ImportState.CANCELLED if was_running else ImportState.UPLOADED
    row.finished_at = timezone.now() if was_running else None
    row.save(update_fields=["state", "finished_at", "updated_at"])
    if was_running:
        audit.record(
            actor=actor,
            action="import.cancelled",
            target_kind="import",
            target_id=row.pk,
            detail={"rows": row.done_rows},
        )
    announce_import(row)
    return row
