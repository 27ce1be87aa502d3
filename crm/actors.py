"""Who acts. The first argument of every service, and what an access rule decides about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from crm.roles import PERMISSIONS, Action, Role, is_allowed


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

    @property
    def can(self) -> list[str]:
        """All of it by name, for pages."""
        return sorted(action.value for action in PERMISSIONS[self.role])


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A machine at work in one workspace. `scopes` are those that its creator's role still allows."""

    key_id: UUID
    workspace_id: UUID
    workspace_slug: str
    name: str
    scopes: frozenset[Action]
    user_id: UUID  # its creator, who answers for what it does

    def may(self, action: Action) -> bool:
        return action in self.scopes


@dataclass(frozen=True, slots=True)
class Automation(ApiKey):
    """A rule of the workspace at work: as a machine, for whoever saved it. What it does sets off no other rule."""


@dataclass(frozen=True, slots=True)
class System:
    """The product itself, for one workspace: a webhook's job, a cron, demo data. `source` says which."""

    workspace_id: UUID
    source: str

    def may(self, action: Action) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Customer:
    """A signed-in user as a customer or student: reaches what they take part in, and nothing else."""

    user_id: UUID
    name: str = ""
    email: str = ""

    def may(self, action: Action) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that chats through a widget, known by its own token. Reaches what it takes part in."""

    visitor_id: UUID
    workspace_id: UUID
    channel_id: UUID

    def may(self, action: Action) -> bool:
        return False


# Who can be behind a request about a workspace
Caller = Member | ApiKey
Actor = Member | ApiKey | System
# Who takes part from outside. No role, so no right beyond what they take part in.
Guest = Customer | Visitor
