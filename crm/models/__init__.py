from crm.models.billing import BillingAccount, PaymentAttempt, PaymentStatus, ProviderEvent, SubscriptionStatus
from crm.models.contacts import Contact, ContactIdentity, IdentityKind
from crm.models.people import User, UserIdentity
from crm.models.sessions import BrowserSession, IssuerAccount, IssuerRefreshToken, IssuerSession
from crm.models.workspaces import Member, Workspace

__all__ = [
    "BillingAccount",
    "BrowserSession",
    "Contact",
    "ContactIdentity",
    "IdentityKind",
    "IssuerAccount",
    "IssuerRefreshToken",
    "IssuerSession",
    "Member",
    "PaymentAttempt",
    "PaymentStatus",
    "ProviderEvent",
    "SubscriptionStatus",
    "User",
    "UserIdentity",
    "Workspace",
]
