"""Ids that outsiders can name: UUID version 7, made here because Postgres before 18 has no such function."""

import hashlib
import uuid
from datetime import datetime

import uuid_utils.compat


def uuid7() -> uuid.UUID:
    return uuid_utils.compat.uuid7()


def uuid7_at(moment: datetime) -> uuid.UUID:
    """An id that sorts to `moment`: for imported and back-filled rows, which belong where they happened."""
    whole = int(moment.timestamp())
    return uuid_utils.compat.uuid7(whole, moment.microsecond * 1000)


def uuid7_from(moment: datetime, seed: bytes) -> uuid.UUID:
    """The same id for the same moment and seed, sorted to the microsecond: for rows that may be brought in again."""
    return uuid.UUID(uuid7_text_from(moment, seed))


def uuid7_text_from(moment: datetime, seed: bytes) -> str:
    """The same as it is written: an object costs more than all else where rows come by the million."""
    micros = moment.microsecond
    millis = f"{int(moment.timestamp()) * 1000 + micros // 1000:012x}"
    tail = int.from_bytes(hashlib.blake2b(seed, digest_size=8).digest(), "big") >> 2 | 2 << 62
    rest = f"7{micros % 1000 * 4096 // 1000:03x}{tail:016x}"
    return f"{millis[:8]}-{millis[8:]}-{rest[:4]}-{rest[4:8]}-{rest[8:]}"
