from crm.models.contacts import Contact, ContactIdentity, IdentityKind
from crm.models.people import User, UserIdentity
from crm.models.workspaces import Member, Workspace

__all__ = ["Contact", "ContactIdentity", "IdentityKind", "Member", "User", "UserIdentity", "Workspace"]
