"""The line above every page when the workspace's own bill is overdue."""

import pytest
from django.test import Client

from crm.models import BillingAccount
from tests.cast import unique
from tests.crm.conftest import account_for

pytestmark = pytest.mark.usefixtures("own_issuer")


def page(user) -> str:
    answer = account_for(user).sign_in(Client()).get("/inbox")
    assert answer.status_code == 200
    return answer.content.decode()


def overdue(cast, status: str = "past_due") -> None:
    BillingAccount.objects.create(
        workspace=cast.workspace, is_workspace=True, stripe_customer_id=unique("cus"), status=status
    )


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_who_manages_the_workspace_is_told_and_works_on(cast, status):
    overdue(cast, status)
    shown = page(cast.ada)
    assert "shell-notice" in shown
    assert 'class="inbox"' in shown


def test_nobody_else_is_told(cast):
    overdue(cast)
    assert "shell-notice" not in page(cast.ben)


def test_nothing_is_said_while_all_is_paid(cast):
    overdue(cast, "active")
    assert "shell-notice" not in page(cast.ada)
