"""Fills in what search finds rows by, wherever it is missing. Safe to stop, repeat and run beside the product."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from inbox.indexing import TABLES, fill


class Command(BaseCommand):
    help = "Gives contacts, notes and messages that came by an import the words by which search finds them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--again", action="store_true", help="also those that have theirs")

    def handle(self, *args: Any, again: bool, **options: Any) -> None:
        for table in TABLES:
            written = 0
            for number in fill(table, again=again):
                written += number
                if options["verbosity"] > 1:
                    self.stdout.write(f"{table.name}: {written:,}")
            self.stdout.write(f"{table.name}: {written:,} indexed")
