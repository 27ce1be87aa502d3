"""The journal does not grow for ever."""

from datetime import timedelta

from jobs.crons import Stats, cron
from webhooks.services import retention


@cron("webhooks.prune_journal", every=timedelta(hours=1))
def prune_journal() -> Stats:
    return {"removed": retention.prune_journal()}
