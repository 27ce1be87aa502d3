"""Files of contacts on their way in: uploaded, mapped to fields, tried out, and written by a job in batches."""

from crm.services.imports.moves import cancel_import, change_import, start_check, start_run
from crm.services.imports.uploading import remove_import, upload_import, visible_imports

__all__ = [
    "cancel_import",
    "change_import",
    "remove_import",
    "start_check",
    "start_run",
    "upload_import",
    "visible_imports",
]
