"""One beat as a client sends it, over HTTP or the socket. Pure: no database, no settings; the clock is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime

from config.errors import Invalid
from proctoring.errors import FromTheFuture
from proctoring.people import Student

MOST = 2_147_483_647
DAY_MS = 24 * 3600 * 1000
MOST_ACKNOWLEDGED = 50


@dataclass(frozen=True, slots=True)
class Beat:
    session_id: UUID
    student: Student
    current_question: int | None = None
    answered_count: int | None = None
    is_hidden: bool = False
    timer_delay_ms: int = 0
    idle_ms: int = 0
    rtt_ms: int | None = None
    network: str | None = None
    skew_ms: int | None = None
    client_seq: int = 0
    device: str = ""
    seen: tuple[UUID, ...] = ()  # commands that the client has shown


def read_beat(body: Mapping[str, Any], *, session_id: UUID, student: Student, now: datetime) -> Beat:
    """Raises Invalid with the field's name. Unknown fields are left alone."""
    errors: dict[str, str] = {}
    network = body.get("network")
    visibility = body.get("visibility")
    if visibility not in (None, "visible", "hidden"):
        errors["visibility"] = "visible or hidden."
    beat = Beat(
        session_id=session_id,
        student=student,
        current_question=_whole(body, "current_question", errors),
        answered_count=_whole(body, "answered_count", errors),
        is_hidden=visibility == "hidden",
        timer_delay_ms=_whole(body, "timer_delay_ms", errors, floor=True) or 0,
        idle_ms=_whole(body, "idle_ms", errors, floor=True) or 0,
        rtt_ms=_whole(network if isinstance(network, Mapping) else body, "rtt_ms", errors, floor=True),
        network=_network(network, errors),
        skew_ms=_skew(body.get("client_time"), now, errors),
        client_seq=_whole(body, "seq", errors) or 0,
        device=_text(body, "device", errors, 64),
        seen=_ids(body.get("seen"), errors),
    )
    if errors:
        raise Invalid(errors=errors)
    if beat.skew_ms is not None and beat.skew_ms > DAY_MS:
        raise FromTheFuture
    return beat


def _whole(body: Mapping[str, Any], name: str, errors: dict[str, str], *, floor: bool = False) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if floor and isinstance(value, float) and 0 <= value <= MOST:  # a measurement
        return int(value)
    if type(value) is not int or not 0 <= value <= MOST:
        errors[name] = f"A whole number from 0 to {MOST}."
        return None
    return value


def _text(body: Mapping[str, Any], name: str, errors: dict[str, str], most: int) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        errors[name] = f"Text of at most {most} characters."
        return ""
    return value


def _network(value: object, errors: dict[str, str]) -> str | None:
    if value is None:
        return None
    name = value.get("type", "") if isinstance(value, Mapping) else value
    if not isinstance(name, str) or not name.isprintable():
        errors["network"] = "The network's type, or an object with it."
        return None
    return name[:20]


def _skew(value: object, now: datetime, errors: dict[str, str]) -> int | None:
    """How far the client's clock is ahead of ours, the way here left out of account."""
    if value is None:
        return None
    try:
        at = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        errors["client_time"] = "A time with its zone, as ISO 8601 has it."
        return None
    return round((at - now).total_seconds() * 1000)


def _ids(value: object, errors: dict[str, str]) -> tuple[UUID, ...]:
    if value is None:
        return ()
    try:
        if isinstance(value, list) and len(value) <= MOST_ACKNOWLEDGED:
            return tuple(UUID(item) for item in value)
    except (ValueError, TypeError, AttributeError):
        pass
    errors["seen"] = f"A list of at most {MOST_ACKNOWLEDGED} ids of commands."
    return ()
