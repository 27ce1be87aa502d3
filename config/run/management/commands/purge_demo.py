"""`manage.py purge_demo`: the demo out of the database, also without DEMO."""

from typing import Any

from django.core.management.base import BaseCommand

from config.run.demo.purge import purge


class Command(BaseCommand):
    help = (
        "Remove the demo's workspaces with everything in them, its users and their sign-ins. Nothing else is touched."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        purged = purge()
        if not purged.workspaces and not purged.users:
            self.stdout.write("There is no demo data.")
        else:
            self.stdout.write(
                f"Removed with all that was in them: {purged.workspaces} workspaces, {purged.users} users."
            )
