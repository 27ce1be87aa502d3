"""What the clock does for webhooks; each part keeps its own."""

from webhooks.outgoing import crons as outgoing

__all__ = ["outgoing"]
