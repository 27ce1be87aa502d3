"""Plain words and tones for what contacts carry."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

# The statuses that every workspace begins with; others are shown as the workspace wrote them.
LEAD: dict[str, Promise] = {
    "new": lazy("New"),
    "contacted": lazy("Contacted"),
    "qualified": lazy("Qualified"),
    "customer": lazy("Customer"),
    "lost": lazy("Lost"),
}
LEAD_TONES = {"qualified": "accent", "customer": "success", "lost": "danger"}
SUBSCRIPTION: dict[str, Promise] = {
    "active": lazy("Active"),
    "trialing": lazy("On trial"),
    "past_due": lazy("Past due"),
    "unpaid": lazy("Unpaid"),
    "paused": lazy("Paused"),
    "incomplete": lazy("Incomplete"),
    "incomplete_expired": lazy("Never begun"),
    "canceled": lazy("Cancelled"),
    "none": lazy("No subscription"),
}
SUBSCRIPTION_TONES = {"active": "success", "trialing": "accent", "past_due": "warning", "unpaid": "danger"}
FIELDS: dict[str, Promise] = {
    "name": lazy("Name"),
    "phone": lazy("Phone"),
    "email": lazy("E-mail"),
    "lead_status": lazy("Lead status"),
    "lead_score": lazy("Score"),
    "tags": lazy("Tags"),
    "owner": lazy("Owner"),
    "metadata": lazy("Other information"),
    "attributes": lazy("Attributes"),
}
IDENTITIES: dict[str, Promise] = {
    "phone": lazy("Phone"),
    "whatsapp": lazy("WhatsApp"),
    "bsuid": lazy("WhatsApp user id"),
    "email": lazy("E-mail"),
}
SORTS: dict[str, Promise] = {
    "newest": lazy("Newest"),
    "oldest": lazy("Oldest"),
    "name": lazy("Name"),
    "score": lazy("Score"),
    "last_seen": lazy("Last seen"),
}


def lead(status: str) -> str:
    return str(LEAD.get(status, status)) if status else _("Without a status")


def subscription(status: str) -> str:
    return str(SUBSCRIPTION.get(status, status))


def value(found: Any) -> str:
    """One value of a field, as a person reads it."""
    if isinstance(found, bool):
        return _("Yes") if found else _("No")
    if isinstance(found, list):
        return ", ".join(value(one) for one in found)
    return "" if found is None else str(found)
