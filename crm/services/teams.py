"""Teams of a workspace: who belongs to them, and whether they share out their work by themselves."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Prefetch, QuerySet

from config.errors import Conflict, Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.models import Member, Team, TeamMember
from crm.roles import Action, is_allowed
from crm.services.audit import record

MOST_TEAMS = 200
HUES = 8

# Apps above that give work to teams take it back before one goes, inside the same unit of work.
OnGone = Callable[[Actor, Team], object]
_on_gone: list[OnGone] = []


class TeamTaken(Conflict):
    code = "team_taken"
    message = "There is a team of this name."


class TeamFields(TypedDict, total=False):
    name: str
    hue: int
    assigns_itself: bool
    most_open: int | None
    members: list[UUID]


def on_team_gone(take_back: OnGone) -> None:
    """Registers `take_back(actor, team)`, in AppConfig.ready()."""
    if take_back not in _on_gone:
        _on_gone.append(take_back)


def visible_teams(actor: Actor) -> "QuerySet[Team]":
    """With their members, those who joined first at the head."""
    check(actor, Action.READ_INBOX)
    members = TeamMember.objects.select_related("user").order_by("id")
    rows = Team.objects.filter(workspace_id=actor.workspace_id)
    return rows.prefetch_related(Prefetch("members", members)).order_by("name", "id")


def team_for(actor: Actor, team_id: UUID) -> Team:
    team = visible_teams(actor).filter(pk=team_id).first()
    if team is None:
        raise NotFound
    return team


@unit_of_work
def create_team(*, actor: Actor, fields: TeamFields) -> Team:
    check(actor, Action.MANAGE_SETTINGS)
    count = Team.objects.filter(workspace_id=actor.workspace_id).count()
    if count >= MOST_TEAMS:
        raise Invalid(errors={"name": Said("At most {most} teams.", most=MOST_TEAMS)})
    team = Team(workspace_id=actor.workspace_id, hue=count % HUES + 1)
    _set(team, fields)
    _put_members(actor, team, fields.get("members", []))
    _record(actor, team, "team.created", {"name": [None, team.name]})
    return team_for(actor, team.pk)


@unit_of_work
def change_team(*, actor: Actor, team_id: UUID, fields: TeamFields) -> Team:
    team = _locked(actor, team_id)
    before = {name: getattr(team, name) for name in fields if name != "members"}
    _set(team, fields)
    detail = {name: [value, getattr(team, name)] for name, value in before.items() if value != getattr(team, name)}
    if "members" in fields:
        detail |= _put_members(actor, team, fields["members"])
    if detail:
        _record(actor, team, "team.changed", detail)
    return team_for(actor, team.pk)


@unit_of_work
def delete_team(*, actor: Actor, team_id: UUID) -> None:
    """Its conversations stay with whom they have; its views and replies go with it."""
    check(actor, Action.READ_INBOX)
    if not Team.objects.filter(workspace_id=actor.workspace_id, pk=team_id).exists():
        raise NotFound
    check(actor, Action.MANAGE_SETTINGS)
    team = Team.objects.get(pk=team_id)
    for take_back in _on_gone:
        take_back(actor, team)
    _record(actor, team, "team.deleted", {"name": [team.name, None]})
    team.delete()


def _locked(actor: Actor, team_id: UUID) -> Team:
    check(actor, Action.READ_INBOX)
    team = Team.objects.select_for_update(no_key=True).filter(workspace_id=actor.workspace_id, pk=team_id).first()
    if team is None:
        raise NotFound
    check(actor, Action.MANAGE_SETTINGS)
    return team


def _set(team: Team, fields: TeamFields) -> None:
    team.name = fields.get("name", team.name)
    team.hue = fields.get("hue", team.hue)
    team.assigns_itself = fields.get("assigns_itself", team.assigns_itself)
    team.most_open = fields.get("most_open", team.most_open)
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise TeamTaken from None


def _put_members(actor: Actor, team: Team, wanted: Iterable[UUID]) -> dict[str, list[list[UUID]]]:
    """Exactly these. Whoever stays keeps their turn."""
    ids = set(wanted)
    able = {
        user_id
        for user_id, role in Member.objects.filter(workspace_id=actor.workspace_id, user_id__in=ids).values_list(
            "user_id", "role"
        )
        if is_allowed(role, Action.READ_INBOX)
    }
    if ids - able:
        raise Invalid(errors={"members": "Not everybody named is a member who can read the inbox."})
    now = set(TeamMember.objects.filter(team=team).values_list("user_id", flat=True))
    if ids == now:
        return {}
    TeamMember.objects.filter(team=team, user_id__in=now - ids).delete()
    TeamMember.objects.bulk_create(
        [TeamMember(workspace_id=team.workspace_id, team=team, user_id=user_id) for user_id in sorted(ids - now)],
        ignore_conflicts=True,
    )
    return {"members": [sorted(now), sorted(ids)]}


def leave_teams(actor: Actor, user_id: UUID) -> None:
    """Who can no longer answer in the workspace is in none of its teams."""
    TeamMember.objects.filter(workspace_id=actor.workspace_id, user_id=user_id).delete()


def _record(actor: Actor, team: Team, action: str, detail: Mapping[str, object]) -> None:
    record(actor=actor, action=action, target_kind="team", target_id=team.pk, detail=detail)
