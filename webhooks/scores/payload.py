"""From the bytes of a push to one score. Pure: no database, no settings; the clock is given."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from proctoring.services.nicknames import why_not
from webhooks.bodies import Unreadable, load_object
from webhooks.fields import Fields

ID_LIMIT, CODE_LIMIT = 255, 40
HIGHEST = Decimal("999999999.999")  # what the column takes
THOUSANDTH = Decimal("0.001")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LANE = "in:scores:"
CLOCKS_DIFFER = timedelta(minutes=1)  # further ahead than this has not happened yet
# They turn the text around them: a nickname could dress up its neighbours.
_TURNS_TEXT = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Score:
    submission_id: str
    quiz_code: str
    exam_id: str
    nickname: str
    score: Decimal
    max_score: Decimal
    submitted_at: datetime
    correction_id: str

    @property
    def lane(self) -> str:
        return f"{LANE}{self.submission_id}"[:200]


def read(body: bytes, *, now: datetime) -> Score:
    """Raises Unreadable with a sentence that names the field."""
    if rb"\u0000" in body:  # Postgres cannot hold it, and mending it would change a name unseen
        raise Unreadable("No field may hold control characters.")
    data = load_object(body)
    score, most = _number(data, "score"), _number(data, "max_score")
    if score < 0 or most <= 0 or score > most:
        raise Unreadable("score must be between 0 and max_score, and max_score above 0.")
    return Score(
        submission_id=_text(data, "submission_id", ID_LIMIT),
        quiz_code=_text(data, "quiz_code", CODE_LIMIT),
        exam_id=_text(data, "exam_id", ID_LIMIT, may_be_empty=True),
        nickname=_nickname(data),
        score=score,
        max_score=most,
        submitted_at=_moment(data, now),
        correction_id=_text(data, "correction_id", ID_LIMIT) if data.get("correction_id") is not None else "",
    )


def quiz_code_in(body: bytes) -> str:
    """The board that a push means, however broken the rest of it is; "" when it cannot be told."""
    try:
        return _text(load_object(body), "quiz_code", CODE_LIMIT)
    except Unreadable:
        return ""


def _text(data: Fields, name: str, limit: int, *, may_be_empty: bool = False) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name} must be text.")
    value = value.strip()
    if (not value and not may_be_empty) or len(value) > limit:
        raise Unreadable(f"{name} must have {0 if may_be_empty else 1} to {limit} characters.")
    if any(unicodedata.category(character) == "Cc" for character in value) or _TURNS_TEXT.search(value):
        raise Unreadable(f"{name} must not hold control characters.")
    return value


def _nickname(data: Fields) -> str:
    value = data.get("nickname")
    if not isinstance(value, str):
        raise Unreadable("nickname must be text.")
    name = value.strip()
    if reason := why_not(name):
        raise Unreadable(f"nickname {reason}")
    return name


def _number(data: Fields, name: str) -> Decimal:
    value: Any = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable(f"{name} must be a number.")
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) > HIGHEST:
        raise Unreadable(f"{name} must be a number up to {HIGHEST}.")
    return number.quantize(THOUSANDTH)


def _moment(data: Fields, now: datetime) -> datetime:
    value = data.get("submitted_at")
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        found = found and (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise Unreadable("submitted_at must be a time as ISO 8601 has it.")
    if not EARLIEST <= found <= now + CLOCKS_DIFFER:
        raise Unreadable("submitted_at must be a time from 2000 on that is not ahead of the clock.")
    return found
