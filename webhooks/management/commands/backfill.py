from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.errors import DomainError
from inbox.models import Channel
from webhooks.backfill import services


class Command(BaseCommand):
    help = "Asks for what a provider has and we have not: a job does the rest, which the outbox shows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", help="the channel's name in its address")
        parser.add_argument("--since", help="ISO 8601; without it, from where the channel is known to be complete")

    def handle(self, *args: Any, **options: Any) -> None:
        channel = Channel.objects.filter(slug=options["channel"].lower()).first()
        if channel is None:
            raise CommandError("There is no such channel.")
        try:
            since = datetime.fromisoformat(options["since"]) if options["since"] else None
        except ValueError:
            raise CommandError("--since must be a time like 2026-11-20T18:00:00Z.") from None
        if since and since.tzinfo is None:
            since = since.replace(tzinfo=UTC)
        try:
            key, begins = services.ask_for(channel, since)
        except DomainError as error:
            raise CommandError(f"{error} {error.data}") from None
        self.stdout.write(f"{key}: from {begins.isoformat()} on")
