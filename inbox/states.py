"""States of conversations and messages, and the moves between them that are allowed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    SUPPORT = "support", _("Support")
    EXAM = "exam", _("Exam")


class ConversationStatus(models.TextChoices):
    OPEN = "open", _("Open")
    PENDING = "pending", _("Pending")
    SNOOZED = "snoozed", _("Snoozed")
    RESOLVED = "resolved", _("Resolved")


class Priority(models.TextChoices):
    NONE = "none", _("No priority")
    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


PRIORITY_RANKS: dict[str, int] = {value: rank for rank, value in enumerate(Priority.values)}


class ChannelKind(models.TextChoices):
    KAPSO = "kapso", _("WhatsApp")
    TWILIO = "twilio", _("SMS")
    WIDGET = "widget", _("Web chat")


class RuleEvent(models.TextChoices):
    """What a rule waits for. The first three are a customer's doing, the others anybody's but a rule's."""

    BEGUN = "begun", _("A conversation begins")
    WROTE = "wrote", _("The customer writes")
    CAME_BACK = "came_back", _("The customer comes back to one that was resolved or snoozed")
    ASSIGNEE = "assignee", _("It is assigned, or nobody's any more")
    TEAM = "team", _("It is given to a team")
    STATUS = "status", _("Its status changes")
    PRIORITY = "priority", _("Its priority changes")
    LABELS = "labels", _("Its labels change")


class Direction(models.TextChoices):
    IN = "in"
    OUT = "out"
    NOTE = "note"
    ACTIVITY = "activity"


class SenderKind(models.TextChoices):
    CONTACT = "contact"
    MEMBER = "member"
    BOT = "bot"
    SYSTEM = "system"


class MessageStatus(models.TextChoices):
    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    UNKNOWN = "unknown"  # the provider may or may not have it; a look-up is on its way
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


# A provider's word moves an outgoing message up this ladder and never down; out of order is normal.
RANK = {
    MessageStatus.QUEUED: 0,
    MessageStatus.SENDING: 1,
    MessageStatus.UNKNOWN: 2,
    MessageStatus.SENT: 3,
    MessageStatus.FAILED: 4,
    MessageStatus.DELIVERED: 5,
    MessageStatus.READ: 6,
}


def can_climb(now: str, to: str) -> bool:
    """Failed ends it unless delivered or read shows otherwise; it may come after sent."""
    return RANK[MessageStatus(to)] > RANK[MessageStatus(now)]


class PlannedState(models.TextChoices):
    """Of a reply that is to go out later."""

    WAITING = "waiting"
    HELD = "held"  # its time has come, but it waits for a person
    SENT = "sent"
    TAKEN_BACK = "taken_back"


PLANNED_SHOWN = frozenset({PlannedState.WAITING, PlannedState.HELD})

# Only a person's explicit Retry leaves these.
RETRYABLE = frozenset({MessageStatus.FAILED, MessageStatus.UNKNOWN})
