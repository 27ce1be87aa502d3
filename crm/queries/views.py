"""Saved views: whose they are decides who sees them."""

from typing import Any, TypedDict
from uuid import UUID

from django.db.models import Q, QuerySet

from config.errors import NotFound
from crm.actors import Actor, System
from crm.models import SavedView, ViewAudience
from crm.payloads import PersonPayload, person_payload
from crm.roles import Action


class TeamLine(TypedDict):
    id: UUID
    name: str


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
        ours = Q(audience=ViewAudience.TEAM, team__members__user_id=actor.user_id)
        rows = rows.filter(Q(audience=ViewAudience.EVERYONE) | mine | ours).distinct()
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
