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
    return uuid.UUID(int=_number(moment, seed))


def uuid7_text_from(moment: datetime, seed: bytes) -> str:
    """The same as it is written: an object costs more than all else where rows come by the million."""
    word = f"{_number(moment, seed):032x}"
    return f"{word[:8]}-{word[8:12]}-{word[12:16]}-{word[16:20]}-{word[20:]}"


def _number(moment: datetime, seed: bytes) -> int:
    micros = int(moment.timestamp()) * 1_000_000 + moment.microsecond
    millis, rest = divmod(micros, 1000)
    tail = int.from_bytes(hashlib.blake2b(seed, digest_size=8).digest(), "big") >> 2
    return millis << 80 | 7 << 76 | (rest * 4096 // 1000) << 64 | 2 << 62 | tail
