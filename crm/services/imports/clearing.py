"""Files of imports hold people's data: they go when the import is over, and those left lying after a week."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from crm import storage
from crm.models import ContactImport, ImportState

KEPT = timedelta(days=7)
AT_ONCE = 200


def clear_files() -> int:
    """The file first: a row that names no file harms nobody, a file that no row names would stay for ever."""
    old = Q(updated_at__lt=timezone.now() - KEPT) & ~Q(state__in=[ImportState.CHECKING, ImportState.RUNNING])
    done = Q(state__in=[ImportState.COMPLETED, ImportState.CANCELLED])
    rows = ContactImport.objects.filter(old | done).exclude(storage_name="").order_by("pk")
    names = dict(rows.values_list("pk", "storage_name")[:AT_ONCE])
    for name in names.values():
        storage.remove(name)
    ContactImport.objects.filter(pk__in=names).update(storage_name="")
    return len(names)
