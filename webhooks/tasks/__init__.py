"""Jobs that apply what came in, a module per provider. Each makes one service call; all of them may run twice."""

from webhooks.tasks import deliveries, kapso, outgoing, twilio

__all__ = ["deliveries", "kapso", "outgoing", "twilio"]
