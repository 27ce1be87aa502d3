"""What is kept of a sitting, how long, and everything of one student: exported, or erased.

Each kind of evidence has days of its own, set at the exam and counted from the end of the session.
"""

from typing import Any

from django.db import connection

from inbox.models import Message
from jobs.payloads import JSON

BATCH = 1_000
SESSIONS = 100  # whose logs go in one statement

# With a mark of it at the session, whose totals stay in its summary. Nobody can review any more what is not there.
_VIOLATIONS = """
with old as (
    select s.id from proctoring_examsession s join proctoring_exam e on e.id = s.exam_id
    where s.ended_at < now() - e.keep_violations_days * interval '1 day'
        and exists (select from proctoring_violation v where v.session_id = s.id)
    order by s.id limit %(batch)s for no key update of s
), gone as (
    delete from proctoring_violation v using old where v.session_id = old.id returning v.id
), marked as (
    update proctoring_examsession s set evidence_removed_at = now(), unreviewed_count = 0 from old where s.id = old.id
)
select count(*) from gone
"""
_NETWORK = """
update proctoring_sessionpulse p set trail_at = '{}', trail_rtt = '{}', rtt_ms = null, network = '', device = '',
    user_agent = ''
from proctoring_examsession s join proctoring_exam e on e.id = s.exam_id
where s.id = p.session_id and s.ended_at < now() - e.keep_network_days * interval '1 day'
    and (cardinality(p.trail_at) > 0 or p.user_agent <> '' or p.device <> '')
"""
_DEVICES = """
delete from proctoring_sessiondevice where id in (
    select d.id from proctoring_sessiondevice d
    join proctoring_examsession s on s.id = d.session_id join proctoring_exam e on e.id = s.exam_id
    where s.ended_at < now() - e.keep_network_days * interval '1 day' limit %(batch)s
)
"""
_CHAT = """
select m.id from inbox_message m join proctoring_examroom r on r.conversation_id = m.conversation_id
join proctoring_examsession s on s.id = r.session_id join proctoring_exam e on e.id = s.exam_id
where s.ended_at < now() - e.keep_chat_days * interval '1 day' limit %(batch)s
"""
_SESSIONS = """
delete from proctoring_examsession where id in (
    select s.id from proctoring_examsession s join proctoring_exam e on e.id = s.exam_id
    where s.ended_at < now() - e.keep_sessions_days * interval '1 day' limit %(batch)s
)
"""


def apply() -> dict[str, JSON]:
    return {
        "violations": _remove_violations(),
        "network": _run(_NETWORK),
        "devices": _repeat(_DEVICES),
        "chat": _remove_chat(),
        "sessions": _repeat(_SESSIONS),
    }


def _remove_violations() -> int:
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_VIOLATIONS, {"batch": SESSIONS})
            done = int(cursor.fetchone()[0])
        if not done:
            return total
        total += done


def _remove_chat() -> int:
    """By the ORM, which knows what points at a message."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_CHAT, {"batch": BATCH})
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return total
        Message.objects.filter(pk__in=ids).delete()
        total += len(ids)


def _repeat(statement: str) -> int:
    total = 0
    while done := _run(statement):
        total += done
    return total


def _run(statement: str) -> int:
    parameters: dict[str, Any] = {"batch": BATCH}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
