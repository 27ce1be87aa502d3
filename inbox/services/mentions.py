"""Whom a private note is meant for: members, and whole teams."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from config.errors import Invalid, Said
from crm.models import Member, Team, TeamMember
from crm.roles import Action, Role, is_allowed
from inbox.models import Conversation

MOST_MENTIONS = 50
# For who has no list to pick from: @<id> among the words
_PICK = re.compile(r"@\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)
_READERS = [role for role in Role if is_allowed(role, Action.READ_INBOX)]


@dataclass(frozen=True, slots=True)
class Mentioned:
    """`detail` is what the note keeps of it, `users` who hears of it: members of teams as well."""

    detail: dict[str, Any] = field(default_factory=dict)
    users: frozenset[UUID] = frozenset()


def mentioned_by(conversation: Conversation, body: str, named: Iterable[UUID]) -> Mentioned:
    """Those named must be able to read it; an @<id> in the words that is nobody's is just words."""
    named = list(dict.fromkeys(named))
    wanted = list(dict.fromkeys([*named, *(UUID(found) for found in _PICK.findall(body))]))
    if not wanted:
        return Mentioned()
    members = Member.objects.select_related("user").filter(
        workspace_id=conversation.workspace_id, user__deactivated_at=None, role__in=_READERS, user_id__in=wanted
    )
    found = {row.user_id: {"id": str(row.user_id), "name": row.user.display_name, "kind": "member"} for row in members}
    teams = Team.objects.filter(workspace_id=conversation.workspace_id, pk__in=wanted)
    found_teams = {row.pk: {"id": str(row.pk), "name": row.name, "kind": "team"} for row in teams}
    known = found | found_teams
    if any(one not in known for one in named):
        raise Invalid(errors={"mentions": "Not everybody named here can read notes of this workspace."})
    if len(known) > MOST_MENTIONS:
        raise Invalid(errors={"mentions": Said("At most {most} people and teams.", most=MOST_MENTIONS)})
    of_teams = TeamMember.objects.filter(team_id__in=list(found_teams)).values_list("user_id", flat=True)
    users = frozenset(found) | frozenset(of_teams if found_teams else ())
    shown = [known[one] for one in wanted if one in known]
    return Mentioned({"mentions": shown} if shown else {}, users)
