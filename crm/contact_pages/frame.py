"""What both pages carry: who looks, in which workspace, and what there is to choose from. One statement."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest

from crm.actors import Member
from crm.pages import user_of
from crm.roles import Action, Role, is_allowed

_CHOICES = """
    select workspace.name, workspace.lead_statuses,
        (select jsonb_agg(jsonb_build_object('id', person.id, 'name', coalesce(nullif(person.name, ''),
            split_part(person.email, '@', 1)), 'role', member.role) order by lower(person.name), person.id)
         from crm_member member join crm_user person on person.id = member.user_id
         where member.workspace_id = workspace.id and person.deactivated_at is null and member.role = any(%(readers)s)),
        (select jsonb_agg(jsonb_build_object('key', field.key, 'label', field.label, 'type', field.type,
            'choices', field.choices) order by field.position, field.id)
         from crm_attributedefinition field
         where field.workspace_id = workspace.id and field.archived_at is null),
        (select jsonb_agg(jsonb_build_object('id', team.id, 'name', team.name) order by lower(team.name))
         from crm_team team where team.workspace_id = workspace.id and (%(all_teams)s or exists (
             select from crm_teammember one where one.team_id = team.id and one.user_id = %(reader)s)))
    from crm_workspace workspace where workspace.id = %(workspace)s
"""
READERS = [role.value for role in Role if is_allowed(role, Action.READ_INBOX)]


@dataclass(frozen=True, slots=True)
class Choices:
    workspace_name: str
    lead_statuses: list[str]
    people: list[dict[str, Any]]  # id, name, role: those who can read contacts
    attributes: list[dict[str, Any]]  # key, label, type, choices
    teams: list[dict[str, Any]]  # id, name: whose views the reader may save

    def name_of(self, person: str) -> str:
        return next((one["name"] for one in self.people if one["id"] == person), "")


def get_choices(actor: Member) -> Choices:
    given: dict[str, Any] = {
        "workspace": actor.workspace_id,
        "readers": READERS,
        "reader": actor.user_id,
        "all_teams": actor.may(Action.MANAGE_SETTINGS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHOICES, given)
        name, statuses, *lists = cursor.fetchone()
    return Choices(name, statuses, *(json.loads(found or "[]") for found in lists))


def state_of(request: HttpRequest, actor: Member, choices: Choices) -> dict[str, Any]:
    """For the rail, and for the page's module."""
    user = user_of(request)
    return {
        "me": {
            "id": user.pk,
            "name": user.display_name,
            "email": user.email,
            "expires_at": request.identity.expires_at,  # type: ignore[attr-defined]
        },
        "workspace": {
            "slug": actor.workspace_slug,
            "name": choices.workspace_name,
            "role": actor.role,
            "can": actor.can,
        },
        "people": [{"id": one["id"], "name": one["name"]} for one in choices.people],
    }


def rights(actor: Member) -> dict[str, bool]:
    """As the templates ask."""
    return {
        "edit": actor.may(Action.EDIT_CONTACTS),
        "note": actor.may(Action.NOTE),
        "manage": actor.may(Action.MANAGE),
        "share": actor.may(Action.MANAGE_SETTINGS),
    }
