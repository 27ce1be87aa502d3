"""When our own service was there. What students could not send during an outage of ours is not held against them."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from proctoring import rows
from proctoring.models import ExamSession, ServiceMark, SessionGap
from proctoring.states import GapCause

# The mark is renewed every second; silent for longer than this we were away
AWAY = timedelta(seconds=5)
# For a process that has just started: nobody was there before it, unless another one marks
AWAY_BEFORE_START = timedelta(seconds=2)

_MARK = """
insert into proctoring_servicemark as mark (id, alive_at) values (1, now())
on conflict (id) do update set
    back_at = case when mark.alive_at < now() - %(away)s::interval then now() else mark.back_at end,
    alive_at = now()
returning back_at = now()
"""
# Whoever had been silent for minutes when we went lost nothing by it
_RUNNING = """
    where p.is_live and s.status = 'active' and p.seen_at > %(since)s - interval '2 minutes'
    order by s.id for no key update of s
"""


def mark_alive(away: timedelta = AWAY) -> bool:
    """True when we are back from an outage, which is longer than `away`: every running session's ledger shows it as
    ours. In a unit of work."""
    before = ServiceMark.objects.select_for_update(no_key=True).filter(pk=1).first()
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {"away": str(away.total_seconds()) + " s"})
        is_back = bool(cursor.fetchone()[0])
    if is_back and before is not None:
        now = ServiceMark.objects.get(pk=1).alive_at
        _charge_ourselves(before.alive_at, now)
    return is_back


def _charge_ourselves(since: datetime, until: datetime) -> None:
    """In three statements however many they are: they all come back at this moment."""
    running = [row for row in rows.select(_RUNNING, {"since": since}) if row.started_at < until]
    SessionGap.objects.bulk_create(
        [
            SessionGap(
                workspace_id=row.workspace_id,
                session_id=row.id,
                cause=GapCause.SERVER,
                began_at=max(since, row.started_at),
                ended_at=until,
            )
            for row in running
        ],
        ignore_conflicts=True,
    )
    ExamSession.objects.filter(pk__in=[row.id for row in running]).update(
        lost_seconds=F("lost_seconds") + round((until - since).total_seconds())
    )


def is_away() -> bool:
    """The mark is old: no web process is there to take beats. Without a mark nobody keeps one, and we are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select alive_at < now() - %s::interval from proctoring_servicemark where id = 1",
            [str(AWAY.total_seconds()) + " s"],
        )
        row = cursor.fetchone()
    return bool(row and row[0])
