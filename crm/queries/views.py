"""Saved views: whose they are decides who sees them."""

from typing import Any, TypedDict
from uuid import UUID

from django.db.models import Case, Q, QuerySet, When
from django.db.models.functions import JSONObject

from config.errors import NotFound
from crm.actors import Actor, System
from crm.models import SavedView, TeamMember, ViewAudience
from crm.payloads import PersonPayload, person_payload
from crm.roles import Action


class TeamLine(TypedDict):
    id: UUID
    name: str


# As `view_payload` below, made by the database, where a page wants them in one statement with the rest
_TEAM = JSONObject(id="team_id", name="team__name")
VIEW = JSONObject(
    **{name: name for name in ("id", "scope", "name", "audience", "filters", "sort", "columns", "position")},
    owner=Case(When(owner=None, then=None), default=JSONObject(id="owner_id", name="owner__name")),
    team=Case(When(team=None, then=None), default=_TEAM),
)


class ViewPayload(TypedDict):
    id: UUID
    scope: str
    name: str
    audience: str
    owner: PersonPayload | None
    team: TeamLine | None
    filters: dict[str, Any]
    sort: str
    columns: list[str]
    position: int


def visible_views(actor: Actor) -> "QuerySet[SavedView]":
    """One's own, those of one's teams, and everybody's, in their order."""
    if not actor.may(Action.READ_INBOX):
        return SavedView.objects.none()
    rows = SavedView.objects.filter(workspace_id=actor.workspace_id)
    if not isinstance(actor, System):
        mine = Q(audience=ViewAudience.MINE, owner_id=actor.user_id)
        ours = Q(audience=ViewAudience.TEAM, team__in=TeamMember.objects.filter(user_id=actor.user_id).values("team"))
        rows = rows.filter(Q(audience=ViewAudience.EVERYONE) | mine | ours)
    return rows.select_related("owner", "team").order_by("scope", "position", "id")


def view_for(actor: Actor, view_id: UUID) -> SavedView:
    view = visible_views(actor).filter(pk=view_id).first()
    if view is None:
        raise NotFound
    return view


def view_payload(view: SavedView) -> ViewPayload:
    return {
        "id": view.pk,
        "scope": view.scope,
        "name": view.name,
        "audience": view.audience,
        "owner": person_payload(view.owner),
        "team": {"id": view.team.pk, "name": view.team.name} if view.team else None,
        "filters": view.filters,
        "sort": view.sort,
        "columns": view.columns,
        "position": view.position,
    }
