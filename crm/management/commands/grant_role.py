"""Makes somebody a platform admin, or takes it away again."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from config.errors import DomainError
from crm.models import User
from crm.services.roles import PLATFORM_ROLES, grant_role, revoke_role


class Command(BaseCommand):
    help = "Grants a role of the platform to somebody who has signed in at least once; --revoke takes it away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the user's id, or an e-mail address that only one user has")
        parser.add_argument("role", nargs="?", default=PLATFORM_ROLES[0], choices=PLATFORM_ROLES)
        parser.add_argument("--revoke", action="store_true")

    def handle(self, *args: Any, user: str, role: str, revoke: bool, **options: Any) -> None:
        found = _find(user)
        try:
            (revoke_role if revoke else grant_role)(by=None, user_id=found.pk, role=role)
        except DomainError as refused:
            raise CommandError(str(refused)) from None
        self.stdout.write(f"{found.email or found.pk} is {'no longer' if revoke else 'now'} {role}.")


def _find(name: str) -> User:
    try:
        users = list(User.objects.filter(pk=UUID(name)))
    except ValueError:
        users = list(User.objects.filter(email__iexact=name)[:2])
    if len(users) != 1:
        raise CommandError(f"{'More than one user has' if users else 'No user has'} {name}. Give the id.")
    return users[0]
