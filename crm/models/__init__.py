from crm.models.contacts import Contact, ContactIdentity, IdentityKind
from crm.models.people import User, UserIdentity
from crm.models.sessions import BrowserSession, IssuerAccount, IssuerRefreshToken, IssuerSession
from crm.models.workspaces import Member, Workspace

__all__ = [
    "BrowserSession",
    "Contact",
    "ContactIdentity",
    "IdentityKind",
    "IssuerAccount",
    "IssuerRefreshToken",
    "IssuerSession",
    "Member",
    "User",
    "UserIdentity",
    "Workspace",
]
