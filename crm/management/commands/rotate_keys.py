from typing import Any

from django.core.management.base import BaseCommand

from crm.services import keys


class Command(BaseCommand):
    help = "Writes every stored secret anew under the first of FIELD_ENCRYPTION_KEYS; then the others can be taken out."

    def handle(self, *args: Any, **options: Any) -> None:
        for column, count in keys.rotate().items():
            self.stdout.write(f"{column}: {count} written anew")
