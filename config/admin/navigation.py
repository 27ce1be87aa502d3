"""The sidebar: what people come for by name, everything else by the list of all tables."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("", [("index", "Dashboard", "monitoring")]),
    (
        "People and access",
        [
            ("crm_workspace", "Workspaces", "domain"),
            ("crm_member", "Members", "group"),
            ("crm_user", "People", "person"),
            ("crm_invitation", "Invitations", "mail"),
            ("crm_apikey", "API keys", "key"),
            ("crm_auditentry", "Audit log", "history"),
        ],
    ),
    (
        "Work",
        [
            ("inbox_channel", "Channels", "cable"),
            ("crm_contact", "Contacts", "contacts"),
            ("inbox_conversation", "Conversations", "forum"),
            ("inbox_message", "Messages", "chat"),
            ("proctoring_leaderboard", "Leaderboards", "leaderboard"),
        ],
    ),
    (
        "In and out",
        [
            ("jobs_job", "Jobs", "work"),
            ("webhooks_delivery", "Deliveries", "call_received"),
            ("webhooks_call", "Calls to other systems", "call_made"),
            ("jobs_jobmeta", "Crons", "schedule"),
        ],
    ),
]


def favicon(request: HttpRequest) -> str:
    return static("ui/favicon.svg")


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    named = [
        {
            "title": _(title) if title else None,
            "separator": bool(title),
            "items": [{"title": _(words), "icon": icon, "link": _link(name)} for name, words, icon in items],
        }
        for title, items in GROUPS
    ]
    return [*named, _all()]


def _all() -> dict[str, Any]:
    """Every table, folded away."""
    models = sorted(admin.site._registry, key=lambda model: (model._meta.app_label, model._meta.model_name or ""))
    items = [
        {
            "title": capfirst(str(model._meta.verbose_name_plural)),
            "link": _link(f"{model._meta.app_label}_{model._meta.model_name}"),
        }
        for model in models
    ]
    return {"title": _("All tables"), "separator": True, "collapsible": True, "items": items}


def _link(name: str) -> str:
    return reverse("admin:index" if name == "index" else f"admin:{name}_changelist")
