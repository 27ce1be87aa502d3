"""Makes ready what a start needs: migrations, demo data on the first start of a demo, collected static files.

A process of its own, run only when something changed, so that the supervisor stays small and a second start quick.
"""

import asyncio
import sys
import time

import django

# Any constant: copies on one database prepare it one after the other.
LOCK = 0x5357_4250
ASK_EVERY = 0.2
# Of libraries whose pages we don't show
UNUSED = ["rest_framework", "redoc", "django_filters"]


def main() -> None:
    django.setup()
    from config import settings
    from config.run import database

    _hold_lock()
    _migrate()
    if settings.DEMO and not asyncio.run(database.look(settings)).has_demo:
        _load_demo()
    _collect_static_files()
    database.stamp(settings, asyncio.run(database.look(settings)))


def _hold_lock() -> None:
    """Asked for again and again: a session that waits inside a statement would block CREATE INDEX CONCURRENTLY."""
    from django.db import connection

    while True:
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s)", [LOCK])
            if cursor.fetchone()[0]:
                return
        time.sleep(ASK_EVERY)


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def _collect_static_files() -> None:
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=UNUSED)


def _load_demo() -> None:
    from django.core.management import call_command, get_commands

    if "load_demo" in get_commands():
        sys.stdout.write("Loading the demo data.\n")
        call_command("load_demo")


if __name__ == "__main__":
    main()
