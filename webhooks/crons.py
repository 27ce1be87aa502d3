"""What the clock does for webhooks; each part keeps its own."""

from webhooks.backfill import crons as backfill
from webhooks.outbox import crons as outbox
from webhooks.outgoing import crons as outgoing

__all__ = ["backfill", "outbox", "outgoing"]
