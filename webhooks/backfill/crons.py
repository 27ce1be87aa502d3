"""Notices that we were away, and looks after every channel once an hour whether we were or not."""

from datetime import datetime, timedelta

from django.utils import timezone

from inbox.models import Channel
from jobs.crons import Stats, cron
from jobs.models import JobMeta
from webhooks.backfill import gaps, services

NAME = "webhooks.notice_gaps"
# The clock ticks each minute; so long without a tick, nothing of ours ran.
AWAY = timedelta(minutes=3)
NET = timedelta(hours=1)


@cron(NAME, every=timedelta(minutes=1))
def notice_gaps() -> Stats:
    """After an outage all channels; else those that were paused until now, and those not looked at for an hour."""
    now = timezone.now()
    channels = gaps.active_channels()
    before = JobMeta.objects.filter(name=NAME).values_list("stats", flat=True).first() or {}
    was_away = "at" in before and now - datetime.fromisoformat(before["at"]) > AWAY
    asked = services.look_after(channels if was_away else _due(channels, before, now))
    return {"at": now, "away": was_away, "asked": asked, "active": [str(channel.pk) for channel in channels]}


def _due(channels: list[Channel], before: Stats, now: datetime) -> list[Channel]:
    untils = gaps.complete_untils()
    active = before.get("active")
    known = set(active) if isinstance(active, list) else {str(channel.pk) for channel in channels}
    return [
        channel
        for channel in channels
        if str(channel.pk) not in known or (until := untils.get(str(channel.pk))) is None or now - until > NET
    ]
