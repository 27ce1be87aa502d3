"""Jobs that apply what came in, a module per provider. Each makes one service call; all of them may run twice."""

from webhooks.tasks import backfill, deliveries, erasing, identity, kapso, outgoing, scores, stripe, twilio

__all__ = ["backfill", "deliveries", "erasing", "identity", "kapso", "outgoing", "scores", "stripe", "twilio"]
