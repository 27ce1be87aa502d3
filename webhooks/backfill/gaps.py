"""How far a channel is known to be complete, kept in job_meta, and from when on it must be looked at again."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from inbox.models import Channel
from inbox.states import ChannelKind
from jobs.models import JobMeta
from jobs.payloads import dump

KINDS = (ChannelKind.KAPSO, ChannelKind.TWILIO)
# A list may show a message a little after it was taken; and two clocks differ.
OVERLAP = timedelta(minutes=5)
# Of a channel that was never looked at: what was written before it was connected is not fetched by itself.
FIRST_LOOK = timedelta(hours=24)


def active_channels() -> list[Channel]:
    return list(Channel.objects.filter(kind__in=KINDS, is_active=True).order_by("pk"))


def complete_until(channel_id: UUID) -> datetime | None:
    stats = JobMeta.objects.filter(name=_name(channel_id)).values_list("stats", flat=True).first()
    return datetime.fromisoformat(stats["until"]) if stats and stats.get("until") else None


def complete_untils() -> dict[str, datetime]:
    """Of all channels, by id."""
    rows = JobMeta.objects.filter(name__startswith=_name("")).values_list("name", "stats")
    return {
        name.removeprefix(_name("")): datetime.fromisoformat(stats["until"]) for name, stats in rows if "until" in stats
    }


def since_of(channel: Channel, until: datetime | None) -> datetime:
    return until - OVERLAP if until else max(channel.created_at, timezone.now() - FIRST_LOOK)


def mark_complete(channel_id: UUID, since: datetime, until: datetime) -> None:
    """Everything from `since` on is here. It counts when it joins what was complete before, and never goes back."""
    known = complete_until(channel_id)
    if known is not None and (since > known or until <= known):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO job_meta (name, last_run_at, last_status, stats) VALUES (%s, now(), 'completed', %s)"
            " ON CONFLICT (name) DO UPDATE SET last_run_at = now(), stats = excluded.stats",
            [_name(channel_id), dump({"until": until})],
        )


def _name(channel_id: UUID | str) -> str:
    return f"backfill:{channel_id}"
