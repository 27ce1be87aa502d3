"""Sections of how work is sorted: labels, teams, saved views."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from crm.actors import Member
from crm.api.base import checked
from crm.api.teams import TeamBody
from crm.api.views import ViewBody
from crm.models import ViewScope
from crm.queries.views import visible_views
from crm.roles import Action
from crm.sections.base import Done, Section, section
from crm.services import teams, views
from inbox import queries
from inbox.api.labels import LabelBody
from inbox.sections.base import HUES, audience_choices, audience_of, read_audience, refilled, row_id, typed
from inbox.services import labels


@section
class Labels(Section):
    key, title, icon, needs = "labels", lazy("Labels"), "tag", Action.ASSIGN
    place, template = 30, "settings/labels.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = labels.list_labels(actor)
        shown = [refilled(request, {"id": row.pk, "name": row.name, "hue": row.hue}) for row in rows]
        return {"labels": shown, "hues": HUES}

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        labels.create_label(actor=actor, **_label(request))
        return Done(_("Created"))

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        labels.change_label(actor=actor, label_id=row_id(request), fields=_label(request))
        return Done(_("Saved"))

    def do_delete(self, actor: Member, request: HttpRequest) -> Done:
        labels.delete_label(actor=actor, label_id=row_id(request))
        return Done(_("Deleted"))


def _label(request: HttpRequest) -> Any:
    given = typed(request, "name", "hue")
    return checked(LabelBody(data={name: value for name, value in given.items() if value or name == "name"}))


@section
class Teams(Section):
    key, title, icon, needs = "teams", lazy("Teams"), "contacts", Action.MANAGE_SETTINGS
    place, template = 20, "settings/teams.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        people = queries.list_agents(actor.workspace_id)
        shown = [
            {
                "id": team.pk,
                "name": team.name,
                "hue": team.hue,
                "assigns_itself": team.assigns_itself,
                "most_open": team.most_open or "",
                "members": {one.user_id for one in team.members.all()},
                "open": request.POST.get("id") == str(team.pk),
            }
            for team in teams.visible_teams(actor)
        ]
        return {"teams": shown, "hues": HUES, "people": people}

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        teams.create_team(actor=actor, fields=_team(request))
        return Done(_("Created"))

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        teams.change_team(actor=actor, team_id=row_id(request), fields=_team(request))
        return Done(_("Saved"))

    def do_delete(self, actor: Member, request: HttpRequest) -> Done:
        teams.delete_team(actor=actor, team_id=row_id(request))
        return Done(_("Deleted"))


def _team(request: HttpRequest) -> Any:
    given = typed(request, "name", "hue", "most_open")
    body = {
        "name": given["name"],
        "assigns_itself": "assigns_itself" in request.POST,
        "most_open": given["most_open"] or None,
        "members": request.POST.getlist("members"),
        **({"hue": given["hue"]} if given["hue"] else {}),
    }
    return checked(TeamBody(data=body))


@section
class Views(Section):
    """Their conditions are built beside the list, where one sees what fits."""

    key, title, icon, needs = "views", lazy("Views"), "list", Action.READ_INBOX
    place, template = 40, "settings/views.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        shown = [
            refilled(
                request,
                {
                    "id": row.pk,
                    "name": row.name,
                    "audience": audience_of(row),
                    "scope": row.scope,
                    "order": row.position,
                },
            )
            for row in visible_views(actor)
        ]
        return {
            "scopes": [
                (_("Conversations"), "/inbox", [row for row in shown if row["scope"] == ViewScope.CONVERSATIONS]),
                (_("Contacts"), "/contacts", [row for row in shown if row["scope"] == ViewScope.CONTACTS]),
            ],
            "audiences": audience_choices(actor, shares=actor.may(Action.EDIT_CONTACTS)),
        }

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        given = typed(request, "name", "position")
        body = {"name": given["name"], **read_audience(request)}
        if given["position"]:
            body["position"] = given["position"]
        fields: Any = checked(ViewBody(data=body, partial=True))
        views.change_view(actor=actor, view_id=row_id(request), fields=fields)
        return Done(_("Saved"))

    def do_delete(self, actor: Member, request: HttpRequest) -> Done:
        views.delete_view(actor=actor, view_id=row_id(request))
        return Done(_("Deleted"))
