"""`manage.py load_demo`: the demo's people and conversations, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.run.demo.load import NameTaken, load


class Command(BaseCommand):
    help = (
        "Load the demo data: two workspaces, eight sign-ins, a few hundred conversations. Does nothing the second time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo has public passwords and secrets: load_demo runs only with DEMO=1.")
        try:
            loaded = load()
        except NameTaken as error:
            raise CommandError(
                f"Not the demo's own, but of a name that the demo needs: {error}. Choose another DATABASE_URL."
            ) from None
        if loaded is None:
            self.stdout.write("The demo data is there already.")
        else:
            self.stdout.write(
                f"Loaded {loaded.contacts} contacts, {loaded.conversations} conversations, {loaded.messages} messages."
            )
