from crm.models.access import KEY_PER_MINUTE, ApiKey, AuditEntry, Invitation
from crm.models.billing import (
    PAST_DUE,
    BillingAccount,
    PaymentAttempt,
    PaymentStatus,
    ProviderEvent,
    SubscriptionStatus,
)
from crm.models.contacts import Contact, ContactIdentity, IdentityKind
from crm.models.dossiers import (
    AttributeDefinition,
    AttributeType,
    BurnoutBand,
    ContactMemory,
    ContactNote,
    ContactProfile,
)
from crm.models.imports import ContactImport, ContactImportLine, ContactImportProblem, ImportState
from crm.models.merges import ContactMerge, ContactMergeMove, ErasedTrace, Erasure
from crm.models.people import User, UserIdentity
from crm.models.sessions import BrowserSession, IssuerAccount, IssuerRefreshToken, IssuerSession
from crm.models.teams import SavedView, Team, TeamMember, ViewAudience, ViewScope
from crm.models.workspaces import Availability, Member, Workspace

__all__ = [
    "KEY_PER_MINUTE",
    "PAST_DUE",
    "ApiKey",
    "AttributeDefinition",
    "AttributeType",
    "AuditEntry",
    "Availability",
    "BillingAccount",
    "BrowserSession",
    "BurnoutBand",
    "Contact",
    "ContactIdentity",
    "ContactImport",
    "ContactImportLine",
    "ContactImportProblem",
    "ContactMemory",
    "ContactMerge",
    "ContactMergeMove",
    "ContactNote",
    "ContactProfile",
    "ErasedTrace",
    "Erasure",
    "IdentityKind",
    "ImportState",
    "Invitation",
    "IssuerAccount",
    "IssuerRefreshToken",
    "IssuerSession",
    "Member",
    "PaymentAttempt",
    "PaymentStatus",
    "ProviderEvent",
    "SavedView",
    "SubscriptionStatus",
    "Team",
    "TeamMember",
    "User",
    "UserIdentity",
    "ViewAudience",
    "ViewScope",
    "Workspace",
]
