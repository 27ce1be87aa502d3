"""Part of `make lint`: no model change without its migration, and none that the running code could not live with.

Brings a Postgres of its own for the moment, since Django writes a migration's SQL only with a connection.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

from config.run.embedded import Postgres
from config.run.leash import leash

OURS = ("live", "jobs", "crm", "inbox", "proctoring", "webhooks")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="sblint") as folder, _postgres(Path(folder)) as url:
        os.environ.update(DATABASE_URL=url, REDIS_URL="redis://none", SECRET_KEY="lint", VAR_DIR=folder)  # noqa: S106
        os.environ.update(DJANGO_SETTINGS_MODULE="config.settings", LOG_LEVEL="WARNING")
        django.setup()
        return int(_missing() or _unsafe())


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    server = Postgres(folder / "postgres", folder / "sockets", ("fsync=off", "log_min_messages=fatal"))
    server.initialise()
    process = subprocess.Popen(server.command(), preexec_fn=leash(signal.SIGINT), stderr=subprocess.DEVNULL)
    try:
        server.wait(process)
        yield server.url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _missing() -> bool:
    from django.core.management import call_command

    try:
        call_command("makemigrations", check_changes=True, dry_run=True)
    except SystemExit as found:
        return bool(found.code)
    return False


def _unsafe() -> bool:
    from django_migration_linter import MigrationLinter

    linter = MigrationLinter(str(Path.cwd()), include_apps=OURS, no_cache=True, quiet=["ok", "ignore"])
    linter.lint_all_migrations()
    linter.print_summary()
    return bool(linter.has_errors)


if __name__ == "__main__":
    sys.exit(main())
