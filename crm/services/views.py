"""Saved views come, change and go. A tree is checked before it is kept, so that nobody opens a broken one."""

from collections.abc import Callable
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import Max

from config.errors import Forbidden, Invalid, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, System
from crm.filters import compile_filters
from crm.models import SavedView, Team, ViewAudience, ViewScope
from crm.queries.orders import Order
from crm.queries.views import view_for
from crm.roles import Action
from crm.services import audit

MOST_VIEWS = 200  # of one scope in one workspace
# What checks the filters and the sorting of a scope; apps above register theirs in AppConfig.ready().
Check = Callable[[Actor, object, str], object]


class ViewFields(TypedDict, total=False):
    scope: str
    name: str
    audience: str
    team: UUID | None
    filters: dict[str, Any]
    sort: str
    columns: list[str]
    position: int


def _check_contacts(actor: Actor, filters: object, sort: str) -> None:
    if sort and sort not in Order.values:
        raise Invalid(errors={"sort": Said("One of: {choices}.", choices=", ".join(Order.values))})
    compile_filters(actor, filters)


_checks: dict[str, Check] = {ViewScope.CONTACTS: _check_contacts}


def on_scope(scope: str, check_view: Check) -> None:
    """Registers who checks views of `scope`: raises Invalid for filters or a sorting that it does not know."""
    _checks[scope] = check_view


@unit_of_work
def save_view(*, actor: Actor, fields: ViewFields) -> SavedView:
    check(actor, Action.READ_INBOX)
    rows = SavedView.objects.filter(workspace_id=actor.workspace_id, scope=fields["scope"])
    if rows.count() >= MOST_VIEWS:
        raise Invalid(errors={"name": Said("At most {most} views.", most=MOST_VIEWS)})
    last = rows.aggregate(last=Max("position"))["last"]
    view = SavedView(
        workspace_id=actor.workspace_id,
        scope=fields["scope"],
        owner_id=_person(actor),
        position=0 if last is None else last + 1,
    )
    _set(actor, view, fields)
    _check_may_write(actor, view)
    view.save(force_insert=True)
    _record(actor, view, "view.saved")
    return view


@unit_of_work
def change_view(*, actor: Actor, view_id: UUID, fields: ViewFields) -> SavedView:
    """One's own by oneself; those that others see too by who may edit contacts, everybody's by admins or its owner."""
    view = view_for(actor, view_id)
    _check_may_write(actor, view)
    _set(actor, view, fields)
    _check_may_write(actor, view)
    view.save()
    _record(actor, view, "view.changed")
    return view


@unit_of_work
def delete_view(*, actor: Actor, view_id: UUID) -> None:
    view = view_for(actor, view_id)
    _check_may_write(actor, view)
    _record(actor, view, "view.deleted")
    view.delete()


def _set(actor: Actor, view: SavedView, fields: ViewFields) -> None:
    view.name = fields.get("name", view.name)
    view.audience = fields.get("audience", view.audience)
    view.filters = fields.get("filters", view.filters)
    view.sort = fields.get("sort", view.sort)
    view.columns = fields.get("columns", view.columns)
    view.position = fields.get("position", view.position)
    if view.audience != ViewAudience.TEAM:
        view.team = None
    elif "team" in fields or view.team_id is None:
        view.team = _team(actor, fields.get("team"))
    if view.scope not in _checks:
        raise Invalid(errors={"scope": f"One of: {', '.join(sorted(_checks))}."})
    _checks[view.scope](actor, view.filters, view.sort)


def _team(actor: Actor, team_id: UUID | None) -> Team:
    """A team that one belongs to; who manages the workspace reaches all."""
    teams = Team.objects.filter(workspace_id=actor.workspace_id)
    person = _person(actor)
    if person and not actor.may(Action.MANAGE_SETTINGS):
        teams = teams.filter(members__user_id=person)
    team = teams.filter(pk=team_id).first() if team_id else None
    if team is None:
        raise Invalid(errors={"team": "Not a team of yours."})
    return team


def _check_may_write(actor: Actor, view: SavedView) -> None:
    """Viewers keep views of their own, which change nothing for anybody."""
    if view.audience == ViewAudience.MINE or isinstance(actor, System):
        return
    check(actor, Action.EDIT_CONTACTS)
    is_own = view.owner_id == _person(actor)
    if view.audience == ViewAudience.EVERYONE and not is_own and not actor.may(Action.MANAGE_SETTINGS):
        raise Forbidden("A view for everyone is changed by who made it, or by an admin.")


def _person(actor: Actor) -> UUID | None:
    return None if isinstance(actor, System) else actor.user_id


def _record(actor: Actor, view: SavedView, action: str) -> None:
    if view.audience != ViewAudience.MINE:
        audit.record(
            actor=actor,
            action=action,
            target_kind="view",
            target_id=view.pk,
            detail={"audience": view.audience, "scope": view.scope},
        )
