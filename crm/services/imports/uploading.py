"""Takes a file in and looks at it: its letters, its columns, what they may be."""

from typing import IO
from uuid import UUID

from django.db.models import QuerySet

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm import storage
from crm.access import check
from crm.actors import Actor
from crm.models import AttributeDefinition, ContactImport, ImportState
from crm.roles import Action
from crm.services import audit
from crm.services.imports import reading
from crm.services.imports.errors import ImportTooLarge, Unreadable, WrongImportFile, WrongState
from crm.services.imports.fields import guessed_mapping
from crm.services.merging.together import user_behind

MOST_BYTES = 200 * 1024 * 1024
AT_WORK = (ImportState.CHECKING, ImportState.RUNNING)


def visible_imports(actor: Actor) -> "QuerySet[ContactImport]":
    """For whoever may write contacts."""
    if not actor.may(Action.EDIT_CONTACTS):
        return ContactImport.objects.none()
    return ContactImport.objects.filter(workspace_id=actor.workspace_id)


def import_for(actor: Actor, import_id: UUID, *, for_update: bool = False) -> ContactImport:
    rows = visible_imports(actor)
    found = (rows.select_for_update() if for_update else rows).filter(pk=import_id).first()
    if found is None:
        raise NotFound
    return found


def upload_import(*, actor: Actor, content: IO[bytes], size: int, name: str) -> ContactImport:
    """Not a unit of work: the file goes to the storage in between."""
    check(actor, Action.EDIT_CONTACTS)
    if size > MOST_BYTES:
        raise ImportTooLarge(limit=MOST_BYTES)
    if not size:
        raise WrongImportFile(errors={"file": "The file is empty."})
    try:
        encoding = reading.encoding_of(content)
        delimiter = reading.delimiter_of(content, encoding)
        columns = reading.header_of(content, encoding, delimiter)
    except Unreadable as error:
        raise WrongImportFile(errors={"file": str(error)}) from None
    stored = storage.keep(content, actor.workspace_id)
    try:
        return _record(actor, stored, size, name, encoding, delimiter, columns)
    except BaseException:
        storage.remove(stored)
        raise


@unit_of_work
def _record(
    actor: Actor, stored: str, size: int, name: str, encoding: str, delimiter: str, columns: list[str]
) -> ContactImport:
    definitions = AttributeDefinition.objects.filter(workspace_id=actor.workspace_id, archived_at=None)
    row = ContactImport.objects.create(
        workspace_id=actor.workspace_id,
        created_by_id=user_behind(actor),
        filename=name[-255:] or "contacts.csv",
        storage_name=stored,
        size=size,
        encoding=encoding,
        dialect={"delimiter": delimiter},
        columns=columns,
        mapping=guessed_mapping(columns, list(definitions)),
        options={"known": "skip"},
    )
    audit.record(actor=actor, action="import.uploaded", target_kind="import", target_id=row.pk, detail={"bytes": size})
    return row


def remove_import(*, actor: Actor, import_id: UUID) -> None:
    """The file and what is noted of it. The contacts stay."""
    name = _forget(actor, import_id)
    storage.remove(name)


@unit_of_work
def _forget(actor: Actor, import_id: UUID) -> str:
    row = import_for(actor, import_id, for_update=True)
    if row.state in AT_WORK:
        raise WrongState("Cancel it first.", state=row.state)
    row.delete()
    return row.storage_name
