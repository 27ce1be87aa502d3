"""The nets under outgoing webhooks: feeds nobody dispatched, and calls that are old."""

from datetime import timedelta

from jobs.crons import Stats, cron
from webhooks.services import calls, fanout


@cron("webhooks.sweep_feeds", every=timedelta(seconds=10))
def sweep_feeds() -> Stats:
    return {"behind": fanout.sweep()}


@cron("webhooks.remove_calls", every=timedelta(hours=1))
def remove_calls() -> Stats:
    return {"removed": calls.remove_old()}
