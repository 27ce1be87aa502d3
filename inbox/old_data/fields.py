"""What each old table is asked for: our names of its fields, how they are read, and which it must have."""

from enum import Enum


class Kind(Enum):
    TEXT = "text"
    KEY = "key"  # an id of the old system
    TIME = "time"
    JSON = "json"


IMPORTED = ("workspaces", "members", "contacts", "conversations", "messages", "notes")
SPLIT = "split"
# Parents before what points at them.
ORDER = ("workspaces", "members", "contacts", "notes", "conversations", "messages")

TIMES = frozenset(
    {
        "created_at",
        "updated_at",
        "deleted_at",
        "ended_at",
        "provider_time",
        "sent_at",
        "delivered_at",
        "read_at",
        "edited_at",
        "last_contact_at",
        "conversation_started_at",
        "last_message_at",
        "canceled_at",
        "trial_ends_at",
        "period_end",
    }
)
JSONS = frozenset({"tags", "metadata", "detail", "attachments", "pressure_zones", "assessment", "recent_messages"})
KEYS = frozenset(
    {"id", "workspace", "user", "contact", "conversation", "owner", "assignee", "author", "sender", "reply_to"}
)

REQUIRED: dict[str, frozenset[str]] = {
    "workspaces": frozenset({"id", "created_at"}),
    "members": frozenset({"workspace", "user", "role"}),
    "contacts": frozenset({"id", "workspace", "created_at"}),
    "conversations": frozenset({"id", "contact", "created_at"}),
    "messages": frozenset({"id", "conversation", "created_at"}),
    "notes": frozenset({"id", "contact", "body", "created_at"}),
    SPLIT: frozenset({"id"}),
}

# What a map may lead to; a word beside it in a mapping file is a mistake.
CHOICES: dict[tuple[str, str], frozenset[str]] = {
    ("members", "role"): frozenset({"owner", "admin", "agent", "tutor", "viewer"}),
    ("conversations", "status"): frozenset({"waiting", "active", "ended", "open", "pending", "snoozed", "resolved"}),
    ("conversations", "scope"): frozenset({"support", "exam"}),
    ("conversations", "priority"): frozenset({"none", "low", "medium", "high", "urgent"}),
    ("messages", "direction"): frozenset({"in", "out", "note", "activity"}),
    ("messages", "sender_kind"): frozenset({"contact", "member", "bot", "system"}),
    ("messages", "status"): frozenset({"received", "queued", "sent", "delivered", "read", "failed"}),
    (SPLIT, "burnout_band"): frozenset({"low", "moderate", "high", "severe"}),
    (SPLIT, "subscription_status"): frozenset(
        {"none", "incomplete", "incomplete_expired", "trialing", "active", "past_due", "canceled", "unpaid", "paused"}
    ),
}


def kind_of(field: str) -> Kind:
    if field in TIMES:
        return Kind.TIME
    if field in JSONS:
        return Kind.JSON
    return Kind.KEY if field in KEYS else Kind.TEXT
