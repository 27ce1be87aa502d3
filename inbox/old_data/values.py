"""One value of an old row as ours, or the reason why it cannot be. Knows no table."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import orjson
from django.utils import timezone

_is_uuid = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
# Of our own making: ids that are no UUIDs get one under it.
NAMESPACE = UUID("6d1f8b0a-52f5-4c0e-9f27-8f6d2f6f1c55")
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
BEGAN = timezone.now()  # before it a time has been, and no clock need be asked
AHEAD = timedelta(minutes=10)  # how far another machine's clock may be ahead of ours
MILLISECONDS = 1e11  # a number above it counts milliseconds since 1970, not seconds


class Refused(Exception):
    """The row cannot be taken; `reason` is one of ours and names nobody."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text(value: Any) -> str:
    """Without surrounding space; Postgres keeps no NUL."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        word = value
    elif isinstance(value, bool):
        return "true" if value else "false"
    else:
        word = orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
    return word.replace("\x00", "").strip() if "\x00" in word or word[:1].isspace() or word[-1:].isspace() else word


def key(value: Any, table: str, *, any_ids: bool) -> UUID | None:
    """The old id as a UUID. None when there is none; ids of one table that are no UUIDs always get the same one."""
    word = text(value)
    if not word:
        return None
    try:
        return _uuid(word)
    except ValueError:
        if any_ids:
            return uuid5(NAMESPACE, f"{table}:{word}")
        raise Refused("id_is_no_uuid") from None


def key_text(value: Any, table: str, *, any_ids: bool) -> str:
    """The same as Postgres writes it, "" for none: for rows by the million, which are not worth an object each."""
    if value.__class__ is str and _is_uuid(value):
        return str(value)
    found = key(value, table, any_ids=any_ids)
    return str(found) if found else ""


@lru_cache(maxsize=50_000)  # a batch's rows name the same few again and again
def _uuid(word: str) -> UUID:
    return UUID(word)


def moment(value: Any) -> datetime | None:
    """With a zone; one without is UTC, as Supabase writes them."""
    at = later(value)
    if at is not None and at > BEGAN and at > timezone.now() + AHEAD:
        raise Refused("impossible_time")
    return at


def later(value: Any) -> datetime | None:
    """The same where the future is possible: the end of a trial."""
    if value is None or value == "":
        return None
    try:
        at = _moment(value)
    except (ValueError, OverflowError, OSError):
        raise Refused("unreadable_time") from None
    if at < EARLIEST:
        raise Refused("impossible_time")
    return at


def _moment(value: Any) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if value > MILLISECONDS else value, UTC)
    at = datetime.fromisoformat(str(value).strip())
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def structure(value: Any) -> Any:
    """JSON as text or already read; anything else is itself."""
    if not isinstance(value, str):
        return value
    word = value.strip()
    if not word:
        return None
    if word[0] in '[{"' or word in {"null", "true", "false"}:
        try:
            return orjson.loads(word)
        except orjson.JSONDecodeError:
            return word
    return word


def obj(value: Any) -> dict[str, Any]:
    found = structure(value)
    if found in (None, "", []):
        return {}
    return found if isinstance(found, dict) else {"value": found}


def words(value: Any, limit: int) -> list[str]:
    """A list, an array as Postgres writes it, or words with commas between; each once, in order."""
    found = structure(value)
    if found is None or found == {}:
        return []
    if isinstance(found, str):
        found = found.strip("{}").split(",") if found else []
    if not isinstance(found, list):
        found = list(found) if isinstance(found, dict) else [found]
    clean = (text(word).strip('"')[:limit].strip() for word in found)
    return list(dict.fromkeys(word for word in clean if word))


def is_true(value: Any) -> bool:
    return text(value).lower() in {"t", "true", "1", "yes", "y"}
