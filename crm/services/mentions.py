"""Whom a private note is meant for: members, and whole teams."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict
from uuid import UUID

from config.errors import Invalid, Said
from crm.models import Member, Team, TeamMember
from crm.roles import Action, Role, is_allowed

MOST_MENTIONS = 50
# For who has no list to pick from: @<id> among the words
_PICK = re.compile(r"@\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)
_READERS = [role for role in Role if is_allowed(role, Action.READ_INBOX)]


class Named(TypedDict):
    id: str
    name: str
    kind: Literal["member", "team"]


@dataclass(frozen=True, slots=True)
class Mentioned:
    """`named` in the order of their naming; `users` is who hears of it: members of teams too."""

    named: Sequence[Named] = ()
    users: frozenset[UUID] = frozenset()

    @property
    def ids(self) -> list[UUID]:
        return [UUID(one["id"]) for one in self.named]


def mentioned_by(workspace_id: UUID, body: str, named: Iterable[UUID], *, kept: Iterable[UUID] = ()) -> Mentioned:
    """Those named must be able to read it; an @<id> in the words that is nobody's is just words, and who was named
    before (`kept`) and has gone since is left out. Invalid."""
    named = list(dict.fromkeys(named))
    wanted = list(dict.fromkeys([*kept, *named, *(UUID(found) for found in _PICK.findall(body))]))
    if not wanted:
        return Mentioned()
    readers = Member.objects.filter(workspace_id=workspace_id, user__deactivated_at=None, role__in=_READERS)
    known: dict[UUID, Named] = {
        row.user_id: {"id": str(row.user_id), "name": row.user.display_name, "kind": "member"}
        for row in readers.select_related("user").filter(user_id__in=wanted)
    }
    users = set(known)
    teams = list(Team.objects.filter(workspace_id=workspace_id, pk__in=wanted))
    if teams:
        of_teams = TeamMember.objects.filter(team__in=teams).values("user_id")
        users.update(readers.filter(user_id__in=of_teams).values_list("user_id", flat=True))
        known |= {row.pk: {"id": str(row.pk), "name": row.name, "kind": "team"} for row in teams}
    if any(one not in known for one in named):
        raise Invalid(errors={"mentions": "Not everybody named here can read notes of this workspace."})
    if len(known) > MOST_MENTIONS:
        raise Invalid(errors={"mentions": Said("At most {most} people and teams.", most=MOST_MENTIONS)})
    return Mentioned([known[one] for one in wanted if one in known], frozenset(users))
