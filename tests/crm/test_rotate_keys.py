"""Encryption keys can be changed under load, and the old one taken out afterwards."""

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as current
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from crm.services import keys
from inbox.models import Channel
from tests.cast import make_cast


def stored(channel: Channel) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select credentials from inbox_channel where id = %s", [channel.pk])
        return str(cursor.fetchone()[0])


def test_secrets_are_not_readable_in_the_database():
    channel = make_cast().channel
    assert "test-kapso-key" not in stored(channel)


def test_after_a_rotation_the_old_key_can_go(settings):
    old = current.FIELD_ENCRYPTION_KEYS
    channel = make_cast().channel
    before, credentials = stored(channel), channel.credentials
    new = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, *old]
    try:
        assert Channel.objects.get(pk=channel.pk).credentials == credentials
        call_command("rotate_keys")
        assert stored(channel) != before
        settings.FIELD_ENCRYPTION_KEYS = [new]
        assert Channel.objects.get(pk=channel.pk).credentials == credentials
        assert set(keys.rotate().values()) == {0}
    finally:  # other tests read what they wrote with the old key
        settings.FIELD_ENCRYPTION_KEYS = [*old, new]
        keys.rotate()


def test_a_key_that_is_missing_is_named(settings):
    channel = make_cast().channel
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"):
        Channel.objects.get(pk=channel.pk)


def test_every_encrypted_column_is_known():
    assert {(table, column) for table, _, column in keys.encrypted_columns()} == {
        ("inbox_channel", "credentials"),
        ("crm_browsersession", "tokens"),
        ("inbox_attachment", "source"),
        ("inbox_pushsubscription", "subscription"),
        ("webhooks_subscription", "secrets"),
        ("proctoring_exam", "secrets"),
    }
