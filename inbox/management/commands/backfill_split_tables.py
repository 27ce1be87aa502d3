"""`manage.py backfill_split_tables`: profile, memory and billing account out of the old wide contact rows."""

from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inbox.management.commands.import_supabase import add_source, source_of
from inbox.old_data import mapping
from inbox.old_data.backfill import Backfill
from inbox.old_data.mapping import MappingError
from inbox.old_data.progress import watched
from inbox.old_data.report import opened
from inbox.old_data.sources import SourceError


class Command(BaseCommand):
    help = "Fill contacts' profiles, memories and billing accounts from the old wide rows, after import_supabase."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_source(parser)
        parser.add_argument("--report", type=Path, help="every refused or changed row into this CSV file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            mapped = mapping.load(options["mapping"])
            with closing(source_of(options)) as source, opened(options["report"]) as report:
                with watched(quiet=options["verbosity"] == 0) as watcher:
                    Backfill(source, mapped, report, watcher, dry=options["dry_run"], batch=options["batch"]).run()
                for line in report.lines(dry=options["dry_run"]):
                    self.stdout.write(line)
        except (MappingError, SourceError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
