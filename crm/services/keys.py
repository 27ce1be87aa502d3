"""Encryption keys: writes every stored secret anew under the newest key, so that an old key can be taken out."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection

from crm.encryption import EncryptedJSONField, current_key_id, decrypt, encrypt

BATCH = 200  # rows read at a time


def rotate() -> dict[str, int]:
    """How many values of each `table.column` were written anew. Resumable: what has the newest key is passed over.

    A row that changes meanwhile was written under the newest key anyway, so the update finds the old value or nothing.
    """
    return {f"{table}.{column}": _rotate_column(table, key, column) for table, key, column in encrypted_columns()}


def encrypted_columns() -> Iterator[tuple[str, str, str]]:
    """(table, primary key, column) of every encrypted field there is."""
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, EncryptedJSONField):
                yield model._meta.db_table, str(model._meta.pk.column), str(field.column)


def _rotate_column(table: str, key: str, column: str) -> int:
    done = 0
    while rows := _under_old_keys(table, key, column):
        with connection.cursor() as cursor:
            for pk, stored in rows:
                cursor.execute(
                    f'update "{table}" set "{column}" = %s where "{key}" = %s and "{column}" = %s',  # noqa: S608
                    [encrypt(decrypt(stored)), pk, stored],
                )
                done += cursor.rowcount
    return done


def _under_old_keys(table: str, key: str, column: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            f'select "{key}", "{column}" from "{table}" where "{column}" <> \'\' and "{column}" not like %s limit %s',  # noqa: S608
            [f"{current_key_id()}:%", BATCH],
        )
        rows: list[Any] = cursor.fetchall()
    return rows
