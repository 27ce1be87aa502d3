"""Ids that outsiders can name: UUID version 7, made here because Postgres before 18 has no such function."""

import uuid
from datetime import datetime

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    return uuid_utils.compat.uuid7()


def uuid7_at(moment: datetime) -> uuid.UUID:
    """An id that sorts to `moment`: for imported and back-filled rows, which belong where they happened."""
    whole = int(moment.timestamp())
    return uuid_utils.compat.uuid7(whole, moment.microsecond * 1000)
