"""What the inbox's sections share: which row a form is about, who may see a saved thing, errors by name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _

from config.errors import NotFound
from crm.actors import Member
from crm.models import Team, TeamMember, ViewAudience
from crm.roles import Action

HUES = range(1, 9)


def row_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError:
        raise NotFound from None


def typed(request: HttpRequest, *names: str) -> dict[str, str]:
    return {name: request.POST.get(name, "").strip() for name in names}


def audience_choices(actor: Member, *, shares: bool = True) -> list[tuple[str, str]]:
    """Value and word: only oneself, a team one is in (all of them for who manages), everyone."""
    mine = (ViewAudience.MINE.value, _("Only me"))
    if not shares:
        return [mine]
    teams = Team.objects.filter(workspace_id=actor.workspace_id)
    if not actor.may(Action.MANAGE_SETTINGS):
        teams = teams.filter(pk__in=TeamMember.objects.filter(user_id=actor.user_id).values("team"))
    named = [(str(team.pk), _("Team %(name)s") % {"name": team.name}) for team in teams.order_by("name", "id")]
    return [mine, *named, (ViewAudience.EVERYONE.value, _("Everyone"))]


def audience_of(row: Any) -> str:
    """As the choices above spell it."""
    return str(row.team_id) if row.audience == ViewAudience.TEAM else str(row.audience)


def read_audience(request: HttpRequest) -> dict[str, Any]:
    value = request.POST.get("audience", "")
    if value in {ViewAudience.MINE, ViewAudience.EVERYONE}:
        return {"audience": value}
    return {"audience": ViewAudience.TEAM.value, "team": value}


def refilled(request: HttpRequest, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as it is, or as it was just typed where a form about it was refused."""
    if request.method != "POST" or request.POST.get("id") != str(row["id"]) or request.POST.get("do") != "save":
        return {**row, "open": False}
    return {**row, **{name: request.POST[name] for name in row if name in request.POST and name != "id"}, "open": True}
