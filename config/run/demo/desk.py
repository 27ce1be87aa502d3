"""What the demo's agents have laid out for themselves: saved replies, macros, a team, a view."""

from typing import Any

from config.run.demo.people import DEMO, USERS
from crm.models import SavedView, Team, TeamMember, ViewAudience, ViewScope
from inbox.models import Macro, SavedReply

TEAM = "Admissions"
# Shortcut, title, text
REPLIES = (
    (
        "fees",
        "What a course costs",
        "Hello {{contact.first_name|there}}, fees stand on the page of each course. Shall I send you the one you mean?",
    ),
    (
        "trial",
        "A trial lesson",
        "The first lesson is free and takes half an hour. Which day suits you?\n\n{{agent.first_name}}",
    ),
    (
        "exam-link",
        "The link does not open",
        "Please try it in a private window. If it still does not open, send me a picture of what you see.",
    ),
)
MACROS: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    (
        "Thank and resolve",
        [
            {"do": "reply", "value": "You are welcome, {{contact.first_name|there}}. Write again whenever you like."},
            {"do": "status", "value": "resolved"},
        ],
    ),
    (
        "Urgent, look into it",
        [
            {"do": "note", "value": "Please look into this today."},
            {"do": "priority", "value": "urgent"},
        ],
    ),
)
VIEW = ("Waits over an hour", {"all": [{"field": "waiting", "is": "longer_than_hours", "value": 1}]})


def create_desk() -> None:
    ada = USERS["ada"].id
    SavedReply.objects.bulk_create(
        SavedReply(workspace_id=DEMO.id, shortcut=shortcut, title=title, body=body, owner_id=ada)
        for shortcut, title, body in REPLIES
    )
    Macro.objects.bulk_create(
        Macro(workspace_id=DEMO.id, name=name, steps=steps, owner_id=ada) for name, steps in MACROS
    )
    team = Team.objects.create(workspace_id=DEMO.id, name=TEAM, hue=4)
    TeamMember.objects.bulk_create(
        TeamMember(workspace_id=DEMO.id, team=team, user_id=USERS[key].id) for key in ("ben", "bea")
    )
    name, filters = VIEW
    SavedView.objects.create(
        workspace_id=DEMO.id,
        scope=ViewScope.CONVERSATIONS,
        name=name,
        audience=ViewAudience.EVERYONE,
        owner_id=ada,
        filters=filters,
        sort="waiting",
    )
