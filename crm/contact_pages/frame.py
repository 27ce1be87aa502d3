"""What both pages carry: who looks, in which workspace, and what there is to choose from. One statement."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from crm import rail
from crm.actors import Member
from crm.models import ViewScope, Workspace
from crm.pages import who_looks
from crm.queries import board
from crm.queries.board import TagPayload
from crm.queries.views import VIEW, visible_views
from crm.roles import Action, Role, is_allowed

# Each over a row of crm_workspace
_PEOPLE = """
    (select jsonb_agg(jsonb_build_object('id', person.id, 'name', coalesce(nullif(person.name, ''),
        split_part(person.email, '@', 1)), 'role', member.role) order by lower(person.name), person.id)
     from crm_member member join crm_user person on person.id = member.user_id
     where member.workspace_id = crm_workspace.id and person.deactivated_at is null and member.role = any(%s))
"""
_FIELDS = """
    (select jsonb_agg(jsonb_build_object('key', field.key, 'label', field.label, 'type', field.type,
        'choices', field.choices) order by field.position, field.id)
     from crm_attributedefinition field where field.workspace_id = crm_workspace.id and field.archived_at is null)
"""
_TEAMS = """
    (select jsonb_agg(jsonb_build_object('id', team.id, 'name', team.name) order by lower(team.name))
     from crm_team team where team.workspace_id = crm_workspace.id and (%s or exists (
         select from crm_teammember one where one.team_id = team.id and one.user_id = %s)))
"""
READERS = [role.value for role in Role if is_allowed(role, Action.READ_INBOX)]


@dataclass(frozen=True, slots=True)
class Choices:
    workspace_name: str
    lead_statuses: list[str]
    people: list[dict[str, Any]]  # id, name, role: those who can read contacts
    attributes: list[dict[str, Any]]  # key, label, type, choices
    teams: list[dict[str, Any]]  # id, name: for a list those whose views the reader may save
    tags: list[TagPayload] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)  # as `view_payload` says them, ids as words

    def name_of(self, person: str) -> str:
        return next((one["name"] for one in self.people if one["id"] == person), "")


def get_choices(request: HttpRequest, actor: Member, *, for_list: bool = False) -> Choices:
    """`for_list`: the tags in use and the saved views too. The marks of the rail come along."""
    columns: dict[str, Any] = {
        "people": RawSQL(_PEOPLE, (READERS,)),  # noqa: S611 - constants, and values as parameters
        "attributes": RawSQL(_FIELDS, ()),  # noqa: S611
        "teams": RawSQL(_TEAMS, (not for_list or actor.may(Action.MANAGE_SETTINGS), actor.user_id)),  # noqa: S611
    }
    marks = rail.marks_for(actor.user_id, actor.can)
    views = ArraySubquery(visible_views(actor).filter(scope=ViewScope.CONTACTS).values(found=VIEW))
    tags = RawSQL(board.TAGS_OF_WORKSPACE, ())  # noqa: S611
    more: dict[str, Any] = {"tags": tags, "views": views} if for_list else {}
    rows = Workspace.objects.filter(pk=actor.workspace_id)
    found: dict[str, Any] = dict(rows.values("name", "lead_statuses", **columns, **more, **marks).get())
    request.rail_marks = {name: found[name] for name in marks}  # type: ignore[attr-defined]
    lists = {name: json.loads(found[name] or "[]") for name in (*columns, *(["tags"] if for_list else []))}
    return Choices(found["name"], found["lead_statuses"], **lists, views=found.get("views") or [])


def state_of(request: HttpRequest, actor: Member, choices: Choices) -> dict[str, Any]:
    return {
        **who_looks(request, actor, choices.workspace_name),
        "people": [{"id": one["id"], "name": one["name"]} for one in choices.people],
        "teams": choices.teams,
    }


def rights(actor: Member) -> dict[str, bool]:
    """As the templates ask."""
    return {
        "edit": actor.may(Action.EDIT_CONTACTS),
        "note": actor.may(Action.NOTE),
        "reply": actor.may(Action.REPLY),
        "manage": actor.may(Action.MANAGE),
        "share": actor.may(Action.MANAGE_SETTINGS),
    }
