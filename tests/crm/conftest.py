from dataclasses import dataclass
from uuid import UUID

import pytest
from django.test import Client

from crm.issuer.accounts import create_account
from crm.models import User, UserIdentity
from tests.cast import unique

PASSWORD = "a-password-for-tests"


@pytest.fixture(autouse=True)
def _without_static_files(settings) -> None:
    """Every new test client would look for them all over again."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def own_issuer(settings) -> None:
    """As in demo: no Supabase, we issue the tokens."""
    settings.SUPABASE_URL = ""


@dataclass
class Account:
    """Somebody who can sign in with a password, with their row and without one."""

    id: UUID
    email: str
    password: str = PASSWORD

    @property
    def user(self) -> User:
        return User.objects.get(pk=self.id)

    def sign_in(self, client: Client, **more: str) -> Client:
        response = client.post("/login", {"email": self.email, "password": self.password, **more})
        assert response.status_code == 303, response.content
        return client


def account_for(user: User) -> Account:
    create_account(user.pk, user.email, PASSWORD, user.name)
    return Account(user.pk, user.email)


@pytest.fixture
def ann(own_issuer) -> Account:
    """Known to the issuer and to us."""
    from crm.ids import uuid7

    user = User.objects.create(pk=uuid7(), name="Ann", email=f"{unique('ann')}@demo.example")
    UserIdentity.objects.create(user=user, provider="supabase", subject=str(user.pk))
    return account_for(user)
