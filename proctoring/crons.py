"""What exams need by the clock. Each runs in one process at a time; job_meta shows the last run and what it did."""

from collections.abc import Mapping
from datetime import timedelta

from config.live import presence
from jobs.crons import cron
from jobs.payloads import JSON
from proctoring.services import boards, edges, reminders, retention, service
from proctoring.services.commands import expire_commands


@cron("proctoring.clean_stale_sessions", every=timedelta(minutes=5))
def clean_stale_sessions() -> Mapping[str, JSON]:
    """Silent for two minutes, or past their time. Not while we ourselves are away: nobody could beat."""
    if service.is_away():
        return {"away": True}
    return {**edges.write_edges(), "expired": edges.expire_silent(), "overdue": edges.expire_overdue()}


@cron("proctoring.expire_presence", every=timedelta(minutes=1))
def expire_presence() -> Mapping[str, JSON]:
    """The net under the web processes, which look every second: whoever is not there any more, edges that were missed,
    and commands that nobody has seen in time."""
    counts = {} if service.is_away() else edges.write_edges()
    return {**counts, "commands": expire_commands(), "presence": presence.sweep()}


@cron("proctoring.retention", every=timedelta(hours=1))
def apply_retention() -> Mapping[str, JSON]:
    return retention.apply()


@cron("proctoring.board_retention", every=timedelta(hours=1))
def apply_board_retention() -> Mapping[str, JSON]:
    return dict(boards.forget_old())


@cron("proctoring.remind", every=timedelta(minutes=1))
def remind() -> Mapping[str, JSON]:
    return reminders.remind()
