"""`manage.py import_supabase`: the old system's data into this one, as often as wanted. docs/moving.md tells how."""

import os
import signal
import sys
import threading
from argparse import ArgumentParser
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inbox.old_data import mapping
from inbox.old_data.fields import IMPORTED
from inbox.old_data.progress import watched
from inbox.old_data.report import Report, opened
from inbox.old_data.run import AlreadyRunning, Import, MappingError, Options, SourceError
from inbox.old_data.sources import FolderSource, PostgresSource, Source

VARIABLE = "SUPABASE_DATABASE_URL"


class Command(BaseCommand):
    help = (
        "Copy workspaces, members, contacts, notes, conversations and messages out of the old Supabase. "
        "May be stopped, repeated and resumed: nothing comes twice, what changed over there is changed here."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_source(parser)
        parser.add_argument(
            "--workspace", action="append", default=[], help="slug or old id; several times for several"
        )
        parser.add_argument("--since", help="only messages and notes changed since, ISO 8601")
        parser.add_argument("--only", action="append", default=[], choices=IMPORTED, help="only this table")
        parser.add_argument("--adopt", action="store_true", help="a workspace here of the same slug is the old one")
        parser.add_argument("--report", type=Path, help="every refused or changed row into this CSV file")
        parser.add_argument("--print-mapping", action="store_true", help="print the mapping that is shipped, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["print_mapping"]:
            self.stdout.write(mapping.default_text())
            return
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, _as_ctrl_c)
        try:
            with closing(source_of(options)) as source, opened(options["report"]) as report:
                self._import(source, report, options)
        except (MappingError, SourceError) as error:
            raise CommandError(str(error)) from None
        except AlreadyRunning:
            raise CommandError("Another import is running.") from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None

    def _import(self, source: Source, report: Report, options: dict[str, Any]) -> None:
        wanted = Options(
            workspaces=frozenset(word.lower() for word in options["workspace"]),
            since=_since(options["since"]),
            only=frozenset(options["only"] or IMPORTED),
            adopt=options["adopt"],
            dry=options["dry_run"],
            batch=options["batch"],
        )
        mapped = mapping.load(options["mapping"])
        try:
            with watched(quiet=options["verbosity"] == 0) as watcher:
                Import(source, mapped, wanted, report, watcher).run()
        except KeyboardInterrupt:
            self._say(report, wanted)
            self.stderr.write("Stopped. What is listed is done; the same command goes on from there.")
            sys.exit(130)
        self._say(report, wanted)

    def _say(self, report: Report, options: Options) -> None:
        for line in report.lines(dry=options.dry):
            self.stdout.write(line)


def add_source(parser: ArgumentParser) -> None:
    parser.add_argument("--dsn", help=f"the old Postgres; without it {VARIABLE} is read")
    parser.add_argument("--files", type=Path, help="a folder of exported CSV or JSONL files, one per table")
    parser.add_argument("--mapping", type=Path, help="TOML with what the old system calls its tables and columns")
    parser.add_argument("--dry-run", action="store_true", help="read and check everything, write nothing")
    parser.add_argument("--batch", type=int, default=5_000, help="rows of one transaction")


def source_of(options: dict[str, Any]) -> Source:
    if options["batch"] < 1:
        raise CommandError("--batch must be at least 1.")
    if options["files"] and options["dsn"]:
        raise CommandError("Give either --dsn or --files.")
    if options["files"]:
        return FolderSource(options["files"])
    dsn = options["dsn"] or os.environ.get(VARIABLE, "").strip()
    if not dsn:
        raise CommandError(f"Where is the old data? Give --dsn or --files, or set {VARIABLE}.")
    return PostgresSource(dsn, options["batch"])


def _since(word: str | None) -> datetime | None:
    if not word:
        return None
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        raise CommandError("--since must be a time like 2026-11-20T18:00:00Z.") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
