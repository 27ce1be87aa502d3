"""The old wide contact rows become profile, memory and billing account, as often as the command is run."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from crm.models import BillingAccount, Contact, ContactMemory, ContactProfile
from tests.cast import unique
from tests.inbox.old_system import OldSystem, old_system, run_import


@pytest.fixture
def old():
    with old_system() as system:
        yield system


def backfill(old: OldSystem, **options: Any) -> str:
    out = StringIO()
    call_command("backfill_split_tables", dsn=old.url, stdout=out, verbosity=0, **options)
    return out.getvalue()


def wide(old: OldSystem, **values: Any) -> Contact:
    row = old.contact(
        "600 777 888",
        **{
            "first_name": "Lucía",
            "zip": "28001",
            "burnout_score": 61.5,
            "burnout_band": "Moderate",
            "historical_summary": "Asked for a place in spring.",
            "total_interactions": 42,
            "stripe_customer_id": unique("cus"),
            "subscription_status": "trial",
            "trial_end": datetime(2030, 1, 1, tzinfo=UTC),
        }
        | values,
    )
    old.connection.execute('update contacts set pressure_zones = \'["sleep", "work"]\' where id = %s', [row])
    run_import(old)
    return Contact.objects.get(supabase_id=row)


def test_one_wide_row_becomes_three(old):
    contact = wide(old)
    backfill(old)
    profile = ContactProfile.objects.get(contact=contact)
    assert (profile.first_name, profile.zip_code, profile.burnout_band) == ("Lucía", "28001", "moderate")
    assert (profile.burnout_score, profile.pressure_zones) == (Decimal("61.50"), ["sleep", "work"])
    memory = ContactMemory.objects.get(contact=contact)
    assert (memory.historical_summary, memory.total_interactions) == ("Asked for a place in spring.", 42)
    account = BillingAccount.objects.get(contact=contact)
    assert (account.status, account.trial_ends_at) == ("trialing", datetime(2030, 1, 1, tzinfo=UTC))


def test_again_changes_nothing_and_what_changed_over_there_changes_here(old):
    contact = wide(old)
    backfill(old)
    said = [line.split() for line in backfill(old).splitlines()[1:5]]
    assert [line[-7:] for line in said[1:]] == [["0", "0", "0", "1", "0", "0", "0"]] * 3
    old.change("contacts", contact.supabase_id, zip="08001", subscription_status="active")
    backfill(old)
    assert ContactProfile.objects.get(contact=contact).zip_code == "08001"
    assert BillingAccount.objects.get(contact=contact).status == "active"


def test_what_was_learnt_here_since_stays_and_gaps_are_filled(old):
    contact = wide(old)
    ContactProfile.objects.create(contact=contact, workspace_id=contact.workspace_id, first_name="Lu", zip_code="")
    backfill(old)
    profile = ContactProfile.objects.get(contact=contact)
    assert (profile.first_name, profile.zip_code) == ("Lu", "28001")


def test_a_dry_run_writes_nothing(old):
    contact = wide(old)
    said = backfill(old, dry_run=True)
    assert not ContactProfile.objects.filter(contact=contact).exists()
    assert not BillingAccount.objects.filter(contact=contact).exists()
    assert "nothing was written" in said


def test_something_inside_a_json_column_is_found_by_its_path(old, tmp_path):
    contact = wide(old, profile={"person": {"phase": "spring"}}, first_name=None)
    mapping = tmp_path / "my.toml"
    mapping.write_text(
        '[split.fields]\njourney_phase = { column = "profile", path = "person.phase" }\n'
        'relationship = { value = "mother" }\n'
    )
    backfill(old, mapping=mapping)
    profile = ContactProfile.objects.get(contact=contact)
    assert (profile.journey_phase, profile.relationship) == ("spring", "mother")


def test_what_stripe_itself_has_told_is_not_overwritten(old):
    contact = wide(old)
    backfill(old)
    account = BillingAccount.objects.get(contact=contact)
    account.status, account.subscription_event_at = "past_due", datetime.now(UTC) - timedelta(days=1)
    account.save()
    backfill(old)
    account.refresh_from_db()
    assert account.status == "past_due"


def test_a_row_whose_contact_is_not_here_is_refused(old):
    wide(old)
    old.contact("600 777 999", first_name="Never imported")
    assert "unknown_contact" in backfill(old)
