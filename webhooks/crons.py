"""What the clock does for webhooks; each part keeps its own."""

from webhooks.outbox import crons as outbox
from webhooks.outgoing import crons as outgoing

__all__ = ["outbox", "outgoing"]
