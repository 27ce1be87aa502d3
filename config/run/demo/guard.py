"""Whether the database carries demo data, and the refusal to serve it as if it were real."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from config.run.demo.people import DEMO
from crm.models import Workspace


def has_demo_data() -> bool:
    """The demo's workspace is the mark: its id is the same everywhere, and no token can bring it back."""
    return Workspace.objects.filter(pk=DEMO.id).exists()


def check_demo_allowed() -> None:
    """Called when a server or worker starts, before it serves. A database without tables carries nothing."""
    if settings.DEMO or not _has_tables() or not has_demo_data():
        return
    raise ImproperlyConfigured(
        "DEMO is off, but the database holds demo data with public passwords and secrets: "
        "run `manage.py purge_demo`, or choose another DATABASE_URL."
    )


def _has_tables() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [Workspace._meta.db_table])
        row = cursor.fetchone()
    return bool(row and row[0])
