"""The edges between connected and disconnected, and expiry: written where they happened, told once.

What a session is shown as needs none of this: that is computed when it is read.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import F

from config.live.unit import unit_of_work
from proctoring import rows
from proctoring.events import announce_session
from proctoring.liveness import DEADLINE, IS_EXPIRED, IS_OFFLINE
from proctoring.models import ExamSession, ServiceMark, SessionGap, SessionPulse
from proctoring.services import own_log
from proctoring.services.sessions import GRACE, move
from proctoring.states import LIVE, GapCause, SessionStatus

AT_ONCE = 200  # sessions in one unit of work
Write = Callable[[Sequence[UUID]], int]

_LOST = f"""
    select s.id {rows.FROM} where p.is_live and s.status = 'active' and p.lost_at is null and {IS_OFFLINE}
    order by s.id limit {AT_ONCE}
"""
_BACK = f"""
    select s.id {rows.FROM} where p.is_live and p.lost_at is not null and p.seen_at > p.lost_at
    order by s.id limit {AT_ONCE}
"""
_EXPIRED = f"select s.id {rows.FROM} where p.is_live and {IS_EXPIRED} order by s.id limit {AT_ONCE}"
_IS_EXPIRED = f"select s.id {rows.FROM} where s.id = %(id)s and p.is_live and {IS_EXPIRED}"
_OVER = f"""
    select s.id {rows.FROM} where p.is_live and {DEADLINE} < now() - %(grace)s::interval
    order by s.id limit {AT_ONCE}
"""


def _ids(statement: str, **parameters: Any) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return [row[0] for row in cursor.fetchall()]


def write_edges() -> dict[str, int]:
    """Everything there is to write, in units of some hundred."""
    return {"lost": _all(_lose, _LOST), "restored": _all(restore, _BACK)}


def _all(write: Write, statement: str, **parameters: Any) -> int:
    total = 0
    while ids := _ids(statement, **parameters):
        done = write(ids)
        total += done
        if not done:  # somebody else is at it
            break
    return total


@unit_of_work
def _lose(ids: Sequence[UUID]) -> int:
    """Under the lock of the session, which is read anew: a beat may just have come."""
    done = 0
    for session in _locked(ids):
        row = rows.one(session.pk)
        pulse = SessionPulse.objects.select_for_update(no_key=True).get(pk=session.pk)
        if row.status != "disconnected" or pulse.lost_at is not None or pulse.seen_at != row.seen_at:
            continue
        SessionPulse.objects.filter(pk=session.pk).update(lost_at=pulse.seen_at)
        own_log.note(
            session,
            "connection_lost",
            client_id=uuid5(session.pk, f"lost:{pulse.seen_at.isoformat()}"),
            at=pulse.seen_at,
            detail={},
        )
        announce_session(row)
        done += 1
    return done


@unit_of_work
def restore(ids: Sequence[UUID]) -> int:
    """Back after a silence: the ledger gets a line, the log an entry."""
    done = 0
    for session in _locked(ids):
        pulse = SessionPulse.objects.select_for_update(no_key=True).get(pk=session.pk)
        if pulse.lost_at is None or pulse.seen_at <= pulse.lost_at:
            continue
        SessionPulse.objects.filter(pk=session.pk).update(lost_at=None)
        seconds = add_gap(session, GapCause.STUDENT, _their_part(pulse.lost_at), _first_sign(pulse))
        own_log.note(
            session,
            "connection_restored",
            client_id=uuid5(session.pk, f"restored:{pulse.lost_at.isoformat()}"),
            at=pulse.seen_at,
            detail={"seconds": seconds},
        )
        announce_session(rows.one(session.pk))
        done += 1
    return done


def _their_part(lost: datetime) -> datetime:
    """What of the silence was an outage of ours has a line of its own."""
    back = ServiceMark.objects.filter(pk=1, back_at__gt=lost).values_list("back_at", flat=True).first()
    return back or lost


def _first_sign(pulse: SessionPulse) -> datetime:
    """Of those after the silence; the sweep may come some beats later."""
    lost = pulse.lost_at.timestamp() if pulse.lost_at else 0
    later = [at for at in pulse.trail_at if at > lost + 1]
    return min(pulse.seen_at, datetime.fromtimestamp(min(later), UTC)) if later else pulse.seen_at


def add_gap(session: ExamSession, cause: GapCause, began: datetime, ended: datetime) -> int:
    """One line of the ledger; the same silence is counted once. Answers its seconds."""
    _, created = SessionGap.objects.get_or_create(
        session=session,
        cause=cause,
        began_at=began,
        defaults={"workspace_id": session.workspace_id, "ended_at": max(began, ended)},
    )
    seconds = max(0, round((ended - began).total_seconds()))
    if created:
        ExamSession.objects.filter(pk=session.pk).update(lost_seconds=F("lost_seconds") + seconds)
    return seconds


def _locked(ids: Sequence[UUID]) -> list[ExamSession]:
    """In one order; who is being changed right now is left for the next round."""
    found = ExamSession.objects.select_for_update(of=("self",), skip_locked=True, no_key=True).select_related("exam")
    return list(found.filter(pk__in=ids, status__in=LIVE).order_by("pk"))


# --- Expiry -------------------------------------------------------------------------------------------------


def expire_silent() -> int:
    """Two minutes without a sign of life."""
    return _all(_expire, _EXPIRED)


@unit_of_work
def _expire(ids: Sequence[UUID]) -> int:
    done = 0
    for session in _locked(ids):
        if _ids(_IS_EXPIRED, id=session.pk):
            move(session, SessionStatus.EXPIRED, reason="silence")
            done += 1
    return done


def expire_overdue() -> int:
    """The time is over, and the moment for handing in too."""
    return _all(_expire_overdue, _OVER, grace=GRACE)


@unit_of_work
def _expire_overdue(ids: Sequence[UUID]) -> int:
    done = 0
    for session in _locked(ids):
        row = rows.one(session.pk)
        if row.is_live and row.ends_at is not None and row.ends_at < row.now - GRACE:
            move(session, SessionStatus.EXPIRED, reason="time_over")
            done += 1
    return done
