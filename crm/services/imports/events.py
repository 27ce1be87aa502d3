"""How an import gets on, told to whoever started it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypedDict
from uuid import UUID

from config.live.events import Event, publish
from crm.identity.topics import user
from crm.models import ContactImport


class ImportPayload(TypedDict):
    id: UUID
    filename: str
    size: int
    encoding: str
    delimiter: str
    columns: list[str]
    mapping: dict[str, str]
    known: str  # what happens to a contact that is there already: skip or update
    state: str
    error: str
    total_rows: int | None
    done_rows: int
    created_rows: int
    updated_rows: int
    skipped_rows: int
    refused_rows: int
    created_at: datetime
    finished_at: datetime | None


def import_payload(row: ContactImport) -> ImportPayload:
    return {
        "id": row.pk,
        "filename": row.filename,
        "size": row.size,
        "encoding": row.encoding,
        "delimiter": str(row.dialect.get("delimiter", ",")),
        "columns": row.columns,
        "mapping": row.mapping,
        "known": str(row.options.get("known", "skip")),
        "state": row.state,
        "error": row.error,
        "total_rows": row.total_rows,
        "done_rows": row.done_rows,
        "created_rows": row.created_rows,
        "updated_rows": row.updated_rows,
        "skipped_rows": row.skipped_rows,
        "refused_rows": row.refused_rows,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


@dataclass(frozen=True)
class ImportUpdated(Event):
    type: ClassVar[str] = "import.updated"
    payload: ImportPayload

    def data(self) -> dict[str, Any]:
        return dict(self.payload)


def announce_import(row: ContactImport) -> None:
    if row.created_by_id is not None:
        publish(user(row.created_by_id), ImportUpdated(import_payload(row)))
