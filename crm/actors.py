"""Who acts. The first argument of every service, and what an access rule decides about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.roles import Action, Role, is_allowed


@dataclass(frozen=True, slots=True)
class Member:
    """A user at work in one workspace."""

    user_id: UUID
    workspace_id: UUID
    workspace_slug: str
    role: Role
    name: str
    joined_at: datetime  # what came before counts as read

    def may(self, action: Action) -> bool:
        return is_allowed(self.role, action)


@dataclass(frozen=True, slots=True)
class System:
    """The product itself, for one workspace: a webhook's job, a cron, demo data. `source` says which."""

    workspace_id: UUID
    source: str

    def may(self, action: Action) -> bool:
        return True


Actor = Member | System
