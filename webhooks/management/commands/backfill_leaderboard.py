"""`manage.py backfill_leaderboard FILE`: sample submissions, CSV or JSONL, onto their boards. Again changes nothing."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crm.models import Workspace
from webhooks.scores import backfill
from webhooks.scores.backfill import Report

REASONS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Backfills boards from submissions: one JSON object a line, or CSV with a header. Fields as /webhooks/scores"
        " takes them: submission_id, quiz_code, nickname, score, max_score, submitted_at, and optionally exam_id and"
        " correction_id."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--workspace", required=True, help="its slug")
        parser.add_argument("--quiz-code", default="", help="for lines that name no board")
        parser.add_argument("--create-boards", action="store_true", help="make boards that are not there")

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = Workspace.objects.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        file: Path = options["file"]
        if not file.is_file():
            raise CommandError(f"{file} is no file.")
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task(file.name, total=backfill.count(file))
            try:
                report = backfill.backfill(
                    workspace_id=workspace.pk,
                    file=file,
                    quiz_code=options["quiz_code"],
                    create_boards=options["create_boards"],
                    done=lambda lines: progress.update(task, completed=lines),
                )
            except (UnicodeDecodeError, csv.Error) as error:
                # What came before it is stored, and is unchanged the next time.
                raise CommandError(f"{file} is no table in UTF-8: {error}") from None
        self._tell(report)
        if report.refused:
            raise CommandError(f"{report.refused} of {report.read} lines were refused.")

    def _tell(self, report: Report) -> None:
        for name, number in report.counts().items():
            self.stdout.write(f"{name:>10} {number:>8,}")
        for line, reason in report.reasons[:REASONS_SHOWN]:
            self.stdout.write(f"line {line}: {reason}")
        if len(report.reasons) > REASONS_SHOWN:
            self.stdout.write(f"… and {len(report.reasons) - REASONS_SHOWN:,} more")
