"""An import with the first rows of its file, for whoever maps its columns."""

from crm import storage
from crm.models import AttributeDefinition, ContactImport
from crm.services.imports import reading
from crm.services.imports.errors import Unreadable
from crm.services.imports.events import ImportPayload, import_payload
from crm.services.imports.fields import ATTRIBUTES, FIELDS
from crm.services.imports.reading import Row

SHOWN = 80  # characters of a cell


class ImportDetailPayload(ImportPayload):
    preview: list[list[str]]
    fields: list[str]  # what a column may be, besides metadata.<key>


def import_detail(row: ContactImport) -> ImportDetailPayload:
    definitions = AttributeDefinition.objects.filter(workspace_id=row.workspace_id, archived_at=None)
    keys = definitions.order_by("position", "id").values_list("key", flat=True)
    return {
        **import_payload(row),
        "preview": _preview(row),
        "fields": [*FIELDS, *(ATTRIBUTES + key for key in keys)],
    }


def _preview(row: ContactImport) -> list[Row]:
    if not row.storage_name:
        return []
    try:
        with storage.open_file(row.storage_name) as file:
            found = reading.preview_of(file, row.encoding, str(row.dialect["delimiter"]))
    except (FileNotFoundError, Unreadable):
        return []
    return [[cell[:SHOWN] for cell in cells] for cells in found]
