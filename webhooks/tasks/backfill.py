"""Fills a gap from a provider's list."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from jobs.tasks import RunningJob, task
from webhooks.backfill import services


@task(services.TASK, atomic=False)
def backfill_channel(
    job: RunningJob,
    channel_id: str,
    since: str,
    news_since: str,
    began: str = "",
    cursor: str = "",
    part: int = 1,
    totals: dict[str, Any] | None = None,
) -> None:
    services.run(
        job=job,
        order=services.Order(
            channel_id=UUID(channel_id),
            since=datetime.fromisoformat(since),
            news_since=datetime.fromisoformat(news_since),
            began=datetime.fromisoformat(began) if began else timezone.now(),
            cursor=cursor,
            part=part,
            totals=services.Totals(**(totals or {})),
        ),
    )
