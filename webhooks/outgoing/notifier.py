"""After a commit that wrote to a feed: sees to it that the feed is dispatched soon, without the writer's waiting.

Whatever comes close together becomes one job. What is lost with its process, the cron webhooks.sweep_feeds finds.
"""

from uuid import UUID

from config.live.coalesce import Coalescer
from webhooks.services import fanout

BREATH = 0.02  # seconds in which the next events may join


def _order(workspaces: set[UUID]) -> None:
    for workspace_id in workspaces:
        fanout.order_dispatch(workspace_id)


_notifier: Coalescer[UUID] = Coalescer("feeds", _order, breath=BREATH)


def heard(workspace_id: UUID) -> None:
    _notifier.note(workspace_id)
