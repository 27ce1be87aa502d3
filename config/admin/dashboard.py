"""The first page of the admin: the day in numbers and plots. Each query reads a bounded number of rows by an index, and
what it found is kept for a moment, since a page like this is left open and reloaded."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from config import metrics
from config.admin.words import milliseconds, span, statistics
from crm.ids import uuid7_at
from jobs import crons
from jobs.models import JobMeta

FRESH = 15.0  # seconds
HOURS = 24
MOST = 50_000  # newest rows of the day that are looked at
CAP = 5_000

# Ids of messages rise with time, so the day is a range of the primary key.
_MESSAGES = f"""
select date_trunc('hour', created_at), direction, count(*) from (
    select created_at, direction from inbox_message where id >= %(first)s order by id desc limit {MOST}
) x where created_at >= %(since)s and direction in ('in', 'out') group by 1, 2
"""  # noqa: S608 - constants
_DELIVERIES = f"""
select provider, state, count(*) from (
    select provider, state from webhooks_delivery where received_at >= %(since)s order by received_at desc limit {MOST}
) x group by 1, 2 order by 1
"""  # noqa: S608
_JOBS = f"""
with recursive kinds as (
    (select type from job order by type limit 1)
    union all
    select (select type from job where type > kinds.type order by type limit 1) from kinds where kinds.type is not null
)
select kinds.type, (select count(*) from (
    select 1 from job where job.type = kinds.type and job.status = 'failed' limit {CAP}) x)
from kinds where kinds.type is not null limit 500
"""  # noqa: S608
_WAITING = f"""
select (select count(*) from (select 1 from job where status = 'pending' limit {CAP}) x),
    (select count(*) from (select 1 from job where status = 'processing' limit {CAP}) x),
    (select count(*) from (
        select 1 from job where status = 'completed' and completed_at >= %(since)s limit {MOST}) x),
    (select extract(epoch from now() - min(next_attempt)) from job where status = 'pending' and next_attempt < now())
"""  # noqa: S608
_REASONS = """
select type, error_code, count(*) from (
    select type, error_code from job where status = 'failed' and type = any(%(kinds)s) order by id desc limit 500
) x group by 1, 2 order by 3 desc limit 8
"""

_lock = threading.Lock()
_kept: tuple[float, dict[str, Any]] | None = None


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    global _kept
    with _lock:
        kept = _kept
    if kept is None or time.monotonic() - kept[0] > FRESH:
        kept = (time.monotonic(), read())
        with _lock:
            _kept = kept
    return {**context, **kept[1]}


def read() -> dict[str, Any]:
    now = timezone.now()
    since = now - timedelta(hours=HOURS)
    hours = [(now - timedelta(hours=back)).replace(minute=0, second=0, microsecond=0) for back in range(HOURS)][::-1]
    messages = _rows(_MESSAGES, first=uuid7_at(since), since=since)
    deliveries = _rows(_DELIVERIES, since=since)
    failed = [(kind, count) for kind, count in _rows(_JOBS) if count]
    ((pending, processing, done, oldest),) = _rows(_WAITING, since=since)
    return {
        "cards": [
            (_("Messages in 24 hours"), _sum(messages, 2), ""),
            (_("Deliveries in 24 hours"), _sum(deliveries, 2), ""),
            (_("Jobs waiting"), pending, _("oldest due for %s s") % round(oldest) if oldest else _("none overdue")),
            (_("Jobs running"), processing, ""),
            (_("Jobs failed"), sum(count for _kind, count in failed), _("until somebody retries or dismisses them")),
            (_("Jobs done in 24 hours"), done, ""),
        ],
        "messages_chart": _by_hour(messages, hours),
        "deliveries_chart": _by_state(deliveries),
        "options": json.dumps({"animation": False, "maintainAspectRatio": False, "responsive": True}),
        "answers": {"headers": [_("Road"), _("Calls"), _("Mean ms"), _("Refused"), _("Failed")], "rows": _answers()},
        "reasons": {
            "headers": [_("Failed job"), _("Reason"), _("Of the newest")],
            "rows": [
                [kind, code or "—", count]
                for kind, code, count in (_rows(_REASONS, kinds=[kind for kind, _n in failed]) if failed else ())
            ],
        },
        "crons": {
            "headers": [_("Cron"), _("Every"), _("Last run"), _("Took"), _("How it went"), _("Statistics")],
            "rows": _crons(now),
        },
    }


def _rows(sql: str, **params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _sum(rows: list[tuple[Any, ...]], column: int) -> str:
    total = sum(row[column] for row in rows)
    return f"{total:,}+" if total >= MOST else f"{total:,}"


def _by_hour(rows: list[tuple[Any, ...]], hours: list[datetime]) -> str:
    counts = {(hour.astimezone(UTC), way): count for hour, way, count in rows}
    sets = [(_("In"), "in", "var(--color-primary-700)"), (_("Out"), "out", "var(--color-primary-400)")]
    return json.dumps(
        {
            "labels": [f"{hour:%H}:00" for hour in hours],
            "datasets": [
                {"label": label, "data": [counts.get((hour, way), 0) for hour in hours], "backgroundColor": colour}
                for label, way, colour in sets
            ],
        }
    )


def _by_state(rows: list[tuple[Any, ...]]) -> str:
    providers = sorted({row[0] for row in rows})
    counts = {(provider, state): count for provider, state, count in rows}
    colours = {"applied": "primary-600", "unhandled": "primary-300", "kept": "base-400"}
    sets = [(state, f"var(--color-{colour})") for state, colour in colours.items()] + [("failed", "#dc2626")]
    return json.dumps(
        {
            "labels": providers,
            "datasets": [
                {"label": state, "data": [counts.get((one, state), 0) for one in providers], "backgroundColor": colour}
                for state, colour in sets
            ],
        }
    )


def _answers() -> list[list[Any]]:
    """Webhooks, sends and heartbeats, from the same counts as /metrics."""
    return [
        [road, f"{calls:,}", f"{mean:.1f}", refused, broken]
        for road, calls, mean, refused, broken in metrics.answered()
        if road.startswith("webhooks.") or road in {"send", "heartbeat", "context", "by_phone"}
    ]


def _crons(now: datetime) -> list[list[Any]]:
    rows = crons.last_runs()
    return [_cron(name, known, rows.get(name), now) for name, known in sorted(crons.registered().items())]


def _cron(name: str, known: crons.Cron, row: JobMeta | None, now: datetime) -> list[Any]:
    ran = row.last_run_at if row else None
    return [
        name,
        span(known.every),
        _("%s ago") % span(now - ran) if ran else _("never"),
        milliseconds(row.last_duration) if row and row.last_duration else "",
        _("overdue") if known.is_overdue(ran, now) else (row.last_status if row else ""),
        statistics(row.stats if row else None),
    ]
